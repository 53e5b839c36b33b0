//! Locks that were lost, and waits that were interrupted.

use crate::server::{Flavour, conn, number, until_awaited, until_free};
use dlock_core::Wait;
use dlock_mysql::mysql_async::prelude::Queryable;
use dlock_mysql::mysql_async::{Conn, Opts, OptsBuilder};
use dlock_mysql::{Error, Lock};
use dlock_testkit::cases::fresh_key;
use dlock_testkit::server::Server;
use futures::future::join;
use std::time::Duration;

/// KILL QUERY by an administrator is an interruption, not a time-out, and the connection lives on.
pub(crate) async fn killed_query<E: Flavour>() {
    let (key, mut observer) = (fresh_key("interrupted"), conn::<E>().await);
    let mut holding = Lock::new(conn::<E>().await, key.as_str()).unwrap();
    assert!(holding.acquire(Wait::No).await.unwrap());
    let mut lock = Lock::new(conn::<E>().await, key.as_str()).unwrap();
    for wait in [Wait::Forever, Wait::For(Duration::from_secs(30))] {
        let kill = async {
            let id = until_awaited(&mut observer, &key).await;
            observer.query_drop(format!("KILL QUERY {id}")).await.unwrap();
        };
        let (answer, ()) = join(lock.acquire(wait), kill).await;
        assert!(matches!(answer, Err(Error::Interrupted(_))), "{answer:?}");
        assert!(!lock.is_locked());
        assert_eq!(number(lock.session().unwrap(), "SELECT 7").await, Some(7));
    }
    holding.release().await.unwrap();
    assert!(lock.acquire(Wait::No).await.unwrap());
    lock.release().await.unwrap();
}

/// What the caller frees by hand, or by resetting the connection, is lost; then it works again.
pub(crate) async fn released_by_hand<E: Flavour>() {
    let key = fresh_key("by-hand");
    let mut lock = Lock::new(conn::<E>().await, key.as_str()).unwrap();
    for by_reset in [false, true] {
        let mut guard = lock.lock().await.unwrap();
        if by_reset {
            guard.session().reset().await.unwrap();
        } else {
            let freed = format!("SELECT RELEASE_LOCK('{key}')");
            assert_eq!(number(guard.session(), &freed).await, Some(1));
        }
        let answer = guard.release().await;
        assert!(matches!(answer, Err(Error::Lost(None))), "{answer:?}");
        assert!(!lock.is_locked());
    }
    lock.lock().await.unwrap().release().await.unwrap();
}

/// The server ends an idle session that holds the key: the release says so.
pub(crate) async fn idle_too_long<E: Flavour>() {
    let (key, mut observer) = (fresh_key("idle"), conn::<E>().await);
    let mut lock = Lock::new(conn::<E>().await, key.as_str()).unwrap();
    lock.session().unwrap().query_drop("SET SESSION wait_timeout=1").await.unwrap();
    assert!(lock.acquire(Wait::No).await.unwrap());
    until_free(&mut observer, &key).await;
    let answer = lock.release().await;
    assert!(matches!(answer, Err(Error::Lost(Some(_)))), "{answer:?}");
    assert!(matches!(lock.acquire(Wait::No).await, Err(Error::Closed)));
}

/// A connection that the caller has spoiled before is refused.
pub(crate) async fn refused_by_the_driver<E: Flavour>() {
    let mut spoiled = conn::<E>().await;
    let dropped = spoiled.query_drop("SELECT SLEEP(5)");
    drop(tokio::time::timeout(Duration::from_millis(50), dropped).await);
    let mut lock = Lock::new(spoiled, fresh_key("spoiled")).unwrap();
    assert!(matches!(lock.acquire(Wait::No).await, Err(Error::Closed)));
    assert!(lock.session().is_none());
}

/// The server goes down while one holds and another waits, and comes back.
pub(crate) async fn server_stopped<E: Flavour>() {
    let server = Server::<E>::start(&[]).unwrap();
    let opts = OptsBuilder::from_opts(Opts::from_url(server.url()).unwrap());
    let connect = async || Conn::new(opts.clone()).await.unwrap();
    let (key, mut observer) = (fresh_key("stopped"), connect().await);
    let mut holding = Lock::new(connect().await, key.as_str()).unwrap();
    assert!(holding.acquire(Wait::No).await.unwrap());
    let mut lock = Lock::new(connect().await, key.as_str()).unwrap();
    let stop = async {
        until_awaited(&mut observer, &key).await;
        tokio::task::block_in_place(|| server.stop().unwrap());
    };
    let (answer, ()) = join(lock.acquire(Wait::Forever), stop).await;
    assert!(answer.is_err(), "{answer:?}");
    assert!(matches!(holding.release().await, Err(Error::Lost(_))));
    assert!(lock.acquire(Wait::No).await.is_err());
    server.restart().unwrap();
    assert!(matches!(holding.acquire(Wait::No).await, Err(Error::Closed)));
    let mut lock = Lock::new(connect().await, key.as_str()).unwrap();
    lock.try_lock().await.unwrap().expect("free").release().await.unwrap();
}
