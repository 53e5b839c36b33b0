//! Dropped waits on an owned connection.

use crate::server::{
    Flavour, address, conn, number, through, until_awaited, until_free, until_sleeping, waiter,
};
use dlock_core::Wait;
use dlock_mysql::mysql_async::Conn;
use dlock_mysql::mysql_async::prelude::Queryable;
use dlock_mysql::{Error, Lock};
use dlock_testkit::cases::fresh_key;
use dlock_testkit::polled::polled;
use dlock_testkit::proxy::Proxy;
use std::time::{Duration, Instant};

/// Waits for the key, and drops the wait once the server has it in its queue.
async fn drop_a_wait(lock: &mut Lock, observer: &mut Conn, key: &str) {
    tokio::select! {
        answer = lock.acquire(Wait::Forever) => panic!("{answer:?}"),
        _ = until_awaited(observer, key) => {}
    }
}

/// The same, with a proxy that lets nothing pass any more, so that the wait cannot be ended.
pub(crate) async fn drop_a_silent_wait(
    lock: &mut Lock,
    observer: &mut Conn,
    key: &str,
    proxy: &Proxy,
) {
    let silence = async {
        until_awaited(observer, key).await;
        proxy.stall();
    };
    tokio::select! {
        answer = lock.acquire(Wait::Forever) => panic!("{answer:?}"),
        () = silence => {}
    }
}

/// The wait is killed by a second connection, and the first one goes on as it was.
pub(crate) async fn keeps_the_connection<E: Flavour>() {
    let (key, mut observer) = (fresh_key("kept"), conn::<E>().await);
    let mut holding = Lock::new(conn::<E>().await, key.as_str()).unwrap();
    let mut lock = Lock::new(conn::<E>().await, key.as_str()).unwrap();
    let id = lock.session().unwrap().id();
    for round in 0..50 {
        assert!(holding.acquire(Wait::No).await.unwrap());
        drop_a_wait(&mut lock, &mut observer, &key).await;
        let start = Instant::now();
        lock.close().await.unwrap();
        assert!(start.elapsed() < Duration::from_millis(900), "{:?}", start.elapsed());
        assert_eq!(waiter(&mut observer, &key).await, None);
        let session = lock.session().expect("the connection is still there");
        assert_eq!(session.id(), id);
        let own: Option<u32> = session.query_first(format!("SELECT {round}")).await.unwrap();
        assert_eq!(own, Some(round));
        holding.release().await.unwrap();
    }
}

/// No second connection: the first one is closed, and the server drops the waiter. That it has, nobody can
/// say before there is a second connection again.
pub(crate) async fn ends_the_session<E: Flavour>() {
    let (key, proxy) = (fresh_key("ended"), Proxy::start(address::<E>()).unwrap());
    let mut holding = Lock::new(conn::<E>().await, key.as_str()).unwrap();
    assert!(holding.acquire(Wait::No).await.unwrap());
    let mut lock =
        Lock::new(Conn::new(through::<E>(proxy.addr())).await.unwrap(), key.as_str()).unwrap();
    proxy.refuse();
    let mut observer = conn::<E>().await;
    drop_a_wait(&mut lock, &mut observer, &key).await;
    let start = Instant::now();
    while waiter(&mut observer, &key).await.is_some() {
        assert!(start.elapsed() < Duration::from_secs(2), "still waiting");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let answer = lock.close().await;
    assert!(matches!(answer, Err(Error::Interrupted(_))), "{answer:?}");
    proxy.resume();
    until_closed(&mut lock).await;
    assert!(matches!(lock.acquire(Wait::No).await, Err(Error::Closed)));
    assert!(lock.session().is_none());
    holding.release().await.unwrap();
    until_free(&mut observer, &key).await;
}

/// The second connection hangs: the same.
pub(crate) async fn silent_canceller<E: Flavour>() {
    let (key, proxy) = (fresh_key("silent"), Proxy::start(address::<E>()).unwrap());
    let mut holding = Lock::new(conn::<E>().await, key.as_str()).unwrap();
    assert!(holding.acquire(Wait::No).await.unwrap());
    let mut lock =
        Lock::new(Conn::new(through::<E>(proxy.addr())).await.unwrap(), key.as_str()).unwrap();
    let mut observer = conn::<E>().await;
    drop_a_silent_wait(&mut lock, &mut observer, &key, &proxy).await;
    let start = Instant::now();
    let answer = lock.close().await;
    assert!(matches!(answer, Err(Error::Interrupted(_))), "{answer:?}");
    assert!(start.elapsed() < Duration::from_secs(6), "{:?}", start.elapsed());
    assert!(waiter(&mut observer, &key).await.is_some(), "its end did not come through");
    proxy.resume();
    until_closed(&mut lock).await;
    assert_eq!(waiter(&mut observer, &key).await, None);
    assert!(matches!(lock.acquire(Wait::No).await, Err(Error::Closed)));
    holding.release().await.unwrap();
    until_free(&mut observer, &key).await;
}

/// Closes a lock in doubt, as often as it takes.
pub(crate) async fn until_closed(lock: &mut Lock) {
    let start = Instant::now();
    while let Err(error) = lock.close().await {
        assert!(matches!(error, Error::Interrupted(_)), "{error:?}");
        assert!(start.elapsed() < Duration::from_secs(20), "{error:?}");
    }
}

/// However long a statement somebody else runs, the wait is found and ended.
pub(crate) async fn beside_a_megabyte<E: Flavour>() {
    let (key, mut observer) = (fresh_key("megabyte"), conn::<E>().await);
    let mut holding = Lock::new(conn::<E>().await, key.as_str()).unwrap();
    assert!(holding.acquire(Wait::No).await.unwrap());
    let mut neighbour = conn::<E>().await;
    let id = neighbour.id();
    let text = format!("SELECT SLEEP(60), '{}'", "x".repeat(1_200_000));
    let running = tokio::spawn(async move { neighbour.query_drop(text).await });
    until_sleeping(&mut observer, id).await;
    let mut lock = Lock::new(conn::<E>().await, key.as_str()).unwrap();
    drop_a_wait(&mut lock, &mut observer, &key).await;
    lock.close().await.unwrap();
    assert!(lock.session().is_some());
    observer.query_drop(format!("KILL {id}")).await.unwrap();
    drop(running.await.unwrap());
}

/// A dropped wait for a key that the caller took by hand leaves it to the caller.
pub(crate) async fn taken_by_hand<E: Flavour>() {
    let (key, mut session) = (fresh_key("by-hand"), conn::<E>().await);
    let taken = number(&mut session, &format!("SELECT GET_LOCK('{key}',0)")).await;
    assert_eq!(taken, Some(1));
    let mut lock = Lock::new(session, key.as_str()).unwrap();
    assert!(matches!(lock.acquire(Wait::No).await, Err(Error::AlreadyHeld)));
    for polls in 1..3 {
        drop(polled(lock.acquire(Wait::Forever), polls).await);
        lock.close().await.unwrap();
        let session = lock.session().unwrap();
        let held = number(session, &format!("SELECT IS_USED_LOCK('{key}')")).await;
        assert_eq!(held, Some(session.id().into()));
    }
}
