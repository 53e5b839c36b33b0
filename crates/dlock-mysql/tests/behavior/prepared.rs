//! A lock that has its statements prepared.

use crate::server::{Flavour, address, conn, holder, opts, through};
use crate::used::{hurry, outlasts, use_twice};
use dlock_core::Wait;
use dlock_mysql::mysql_async::prelude::Queryable;
use dlock_mysql::mysql_async::{Conn, Opts};
use dlock_mysql::{Error, Lock};
use dlock_testkit::cases::fresh_key;
use dlock_testkit::polled::polled;
use dlock_testkit::proxy::Proxy;
use dlock_testkit::server::Server;
use std::time::{Duration, Instant};

const WAITS: [Wait; 3] = [Wait::No, Wait::For(Duration::from_millis(1500)), Wait::Forever];

fn lock(conn: Conn, key: &str) -> Lock {
    Lock::new(conn, key).unwrap().prepared()
}

/// The round trips of an acquire and of a release.
async fn trips(proxy: &Proxy, lock: &mut Lock, wait: Wait) -> [u64; 2] {
    proxy.reset();
    assert!(lock.acquire(wait).await.unwrap());
    let acquire = proxy.round_trips();
    lock.release().await.unwrap();
    [acquire, proxy.round_trips() - acquire]
}

/// How many statements this session has prepared, and how many prepared ones it has run.
async fn tally(conn: &mut Conn) -> [u64; 2] {
    let rows: Vec<(String, u64)> =
        conn.query("SHOW SESSION STATUS LIKE 'Com_stmt_%'").await.unwrap();
    ["Com_stmt_prepare", "Com_stmt_execute"]
        .map(|name| rows.iter().find(|row| row.0 == name).unwrap().1)
}

/// A lock that knows its session, and next prepares what it says in a wait for ever.
async fn about_to_prepare(conn: Conn, key: &str) -> Lock {
    let mut lock = lock(conn, key);
    for _ in 0..2 {
        lock.lock().await.unwrap().release().await.unwrap();
    }
    lock
}

/// One round trip each way; once more for each statement that is said again, when it is prepared. A wait of
/// another length is sent as a text.
pub(crate) async fn round_trips<E: Flavour>() {
    let proxy = Proxy::start(address::<E>()).unwrap();
    for wait in WAITS {
        let conn = Conn::new(through::<E>(proxy.addr())).await.unwrap();
        let mut lock = lock(conn, &fresh_key("prepared"));
        for expected in [1, 1, 2, 1, 1, 1] {
            assert_eq!(trips(&proxy, &mut lock, wait).await, [expected; 2], "{wait:?}");
        }
        for millis in [1000, 1001, 1002] {
            let wait = Wait::For(Duration::from_millis(millis));
            assert_eq!(trips(&proxy, &mut lock, wait).await, [1, 1], "{wait:?}");
        }
        assert_eq!(tally(lock.session().unwrap()).await, [2, 8], "{wait:?}");
    }
}

/// Where the driver keeps no statements, each would be prepared each time: texts are sent instead.
pub(crate) async fn nothing_kept<E: Flavour>() {
    let proxy = Proxy::start(address::<E>()).unwrap();
    let conn = Conn::new(through::<E>(proxy.addr()).stmt_cache_size(0)).await.unwrap();
    let mut lock = lock(conn, &fresh_key("kept"));
    for _ in 0..5 {
        assert_eq!(trips(&proxy, &mut lock, Wait::Forever).await, [1, 1]);
    }
    assert_eq!(tally(lock.session().unwrap()).await, [0, 0]);
}

/// Where it keeps one, they drive each other out, and nothing else happens.
pub(crate) async fn one_kept<E: Flavour>() {
    let conn = Conn::new(opts::<E>().stmt_cache_size(1)).await.unwrap();
    let mut lock = lock(conn, &fresh_key("one"));
    for _ in 0..6 {
        lock.lock().await.unwrap().release().await.unwrap();
    }
    assert_eq!(tally(lock.session().unwrap()).await, [8, 8]);
}

/// On a server that prepares no more, texts are sent, after one more round trip: a wait has its full time,
/// a release frees the key, and either may be dropped meanwhile.
pub(crate) async fn no_room<E: Flavour>() {
    const NO_ROOM: &str = "SET GLOBAL max_prepared_stmt_count=0";
    let server = Server::<E>::start(&[]).unwrap();
    let opts = Opts::from_url(server.url()).unwrap();
    let key = fresh_key("room");
    let mut observer = Conn::new(opts.clone()).await.unwrap();
    let mut holding = about_to_prepare(Conn::new(opts.clone()).await.unwrap(), &key).await;
    let mut waiting = about_to_prepare(Conn::new(opts.clone()).await.unwrap(), &key).await;
    let limit = Duration::from_millis(60);
    for _ in 0..2 {
        assert!(waiting.acquire(limit).await.unwrap());
        waiting.release().await.unwrap();
    }
    assert!(holding.acquire(Wait::Forever).await.unwrap());
    observer.query_drop(NO_ROOM).await.unwrap();
    let start = Instant::now();
    assert!(!waiting.acquire(limit).await.unwrap());
    assert!(start.elapsed() >= limit, "{:?}", start.elapsed());
    assert_eq!(tally(waiting.session().unwrap()).await[0], 2);
    holding.release().await.unwrap();
    assert_eq!(holder(&mut observer, &key).await, None);
    use_twice(&mut waiting).await;
    use_twice(&mut holding).await;
    dropped_at_every_poll(&opts).await;
}

/// A wait or a release may be dropped while its statement is prepared.
pub(crate) async fn dropped_while_preparing<E: Flavour>() {
    dropped_at_every_poll(&opts::<E>().into()).await;
}

async fn dropped_at_every_poll(opts: &Opts) {
    let mut observer = Conn::new(opts.clone()).await.unwrap();
    for (polls, is_held) in (1..8).flat_map(|polls| [(polls, false), (polls, true)]) {
        let key = fresh_key("dropped");
        let mut lock = about_to_prepare(Conn::new(opts.clone()).await.unwrap(), &key).await;
        if is_held {
            assert!(lock.acquire(Wait::Forever).await.unwrap());
            drop(polled(lock.release(), polls).await);
        } else {
            drop(polled(lock.acquire(Wait::Forever), polls).await);
        }
        lock.close().await.unwrap();
        assert_eq!(holder(&mut observer, &key).await, None, "{polls} polls, held: {is_held}");
        lock.lock().await.unwrap().release().await.unwrap();
    }
}

/// What the caller does to the session counts, although the statements were prepared before it.
pub(crate) async fn limited_by_hand<E: Flavour>() {
    let key = fresh_key("hurry");
    let mut lock = lock(conn::<E>().await, &key);
    for _ in 0..3 {
        // Each time all is said, since the caller had the session.
        lock.session().unwrap();
        outlasts::<E>(&mut lock, &key).await;
    }
    for _ in 0..4 {
        hurry::<E>(lock.session().unwrap()).await;
        outlasts::<E>(&mut lock, &key).await;
    }
    let session = lock.session().unwrap();
    assert_eq!(tally(session).await[0], 2);
    session.query_drop(format!("DO GET_LOCK('{key}', 0)")).await.unwrap();
    assert!(matches!(lock.acquire(Wait::No).await, Err(Error::AlreadyHeld)));
}

/// A session that was reset has none of the statements any more: they are prepared anew.
pub(crate) async fn reset<E: Flavour>() {
    let key = fresh_key("reset");
    let mut lock = lock(conn::<E>().await, &key);
    for is_held in [false, true, false] {
        use_twice(&mut lock).await;
        use_twice(&mut lock).await;
        assert!(!is_held || lock.acquire(Wait::No).await.unwrap());
        assert!(lock.session().unwrap().reset().await.unwrap());
        let answer = lock.close().await;
        assert_eq!(matches!(answer, Err(Error::Lost(None))), is_held, "{answer:?}");
    }
    use_twice(&mut lock).await;
}

/// A connection that is given back holds nothing, and works.
pub(crate) async fn given_back<E: Flavour>() {
    let key = fresh_key("back");
    let mut lock = lock(conn::<E>().await, &key);
    assert!(lock.acquire(Wait::Forever).await.unwrap());
    let mut session = lock.into_session().await.unwrap();
    assert_eq!(holder(&mut session, &key).await, None);
    assert_eq!(session.exec_first("SELECT ?", (7,)).await.unwrap(), Some(7));
}
