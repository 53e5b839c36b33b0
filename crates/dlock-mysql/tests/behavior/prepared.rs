//! A lock that has its statements prepared.

use crate::server::{Flavour, address, conn, holder, opts, through};
use crate::used::{hurry, outlasts, use_twice};
use dlock_core::Wait;
use dlock_mysql::mysql_async::prelude::Queryable;
use dlock_mysql::mysql_async::{Conn, Opts};
use dlock_mysql::{Error, Lock};
use dlock_testkit::cases::fresh_key;
use dlock_testkit::proxy::Proxy;
use dlock_testkit::server::Server;
use futures_util::future::join;
use std::time::Duration;

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

/// One round trip more for each statement, when it is first sent; then one each way. Nothing is sent as
/// a text.
pub(crate) async fn round_trips<E: Flavour>() {
    let proxy = Proxy::start(address::<E>()).unwrap();
    for wait in WAITS {
        let conn = Conn::new(through::<E>(proxy.addr())).await.unwrap();
        let (mut lock, mut sum) = (lock(conn, &fresh_key("prepared")), 0);
        for _ in 0..3 {
            let trips = trips(&proxy, &mut lock, wait).await;
            assert!(trips.iter().all(|trips| (1..=2).contains(trips)), "{wait:?}: {trips:?}");
            sum += trips.iter().sum::<u64>();
        }
        for _ in 0..3 {
            assert_eq!(trips(&proxy, &mut lock, wait).await, [1, 1], "{wait:?}");
        }
        let [prepared, run] = tally(lock.session().unwrap()).await;
        assert_eq!((prepared, run), (sum - 6, 12), "{wait:?}");
    }
}

/// Where the driver keeps no statements, each would be prepared each time: texts are sent instead.
pub(crate) async fn nothing_kept<E: Flavour>() {
    let proxy = Proxy::start(address::<E>()).unwrap();
    let conn = Conn::new(through::<E>(proxy.addr()).stmt_cache_size(0)).await.unwrap();
    let mut lock = lock(conn, &fresh_key("kept"));
    for _ in 0..4 {
        assert_eq!(trips(&proxy, &mut lock, Wait::Forever).await, [1, 1]);
    }
    assert_eq!(tally(lock.session().unwrap()).await, [0, 0]);
}

/// Where it keeps one, they drive each other out, and nothing else happens.
pub(crate) async fn one_kept<E: Flavour>() {
    let conn = Conn::new(opts::<E>().stmt_cache_size(1)).await.unwrap();
    let mut lock = lock(conn, &fresh_key("one"));
    for wait in WAITS.iter().chain(&WAITS) {
        assert!(lock.acquire(*wait).await.unwrap());
        lock.release().await.unwrap();
    }
    let [prepared, run] = tally(lock.session().unwrap()).await;
    assert_eq!((prepared, run), (12, 12));
}

/// On a server that prepares no more, texts are sent, after one more round trip.
pub(crate) async fn no_room<E: Flavour>() {
    let server = Server::<E>::start(&[("max-prepared-stmt-count", "0")]).unwrap();
    let opts = Opts::from_url(server.url()).unwrap();
    let key = fresh_key("room");
    let mut holding = lock(Conn::new(opts.clone()).await.unwrap(), &key);
    let mut waiting = lock(Conn::new(opts).await.unwrap(), &key);
    assert!(holding.acquire(Wait::No).await.unwrap());
    assert!(!waiting.acquire(Duration::from_millis(50)).await.unwrap());
    let release = async { holding.release().await.unwrap() };
    let (granted, ()) = join(waiting.acquire(Wait::Forever), release).await;
    assert!(granted.unwrap());
    waiting.release().await.unwrap();
    use_twice(&mut waiting).await;
}

/// What the caller does to the session counts, although the statements were prepared before it.
pub(crate) async fn limited_by_hand<E: Flavour>() {
    let key = fresh_key("hurry");
    let mut lock = lock(conn::<E>().await, &key);
    for _ in 0..2 {
        use_twice(&mut lock).await;
        outlasts::<E>(&mut lock, &key).await;
        hurry::<E>(lock.session().unwrap()).await;
        outlasts::<E>(&mut lock, &key).await;
    }
    lock.session().unwrap().query_drop(format!("DO GET_LOCK('{key}', 0)")).await.unwrap();
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
