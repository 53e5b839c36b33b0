//! A session whose connection is driven by whoever waits for it.

use crate::eye::{Eye, address, config, connect, pid, show, towards};
use dlock_core::Wait;
use dlock_postgres::{AsClient, Error, Key, Lock, Session};
use dlock_testkit::polled::polled;
use dlock_testkit::proxy::Proxy;
use std::time::Duration;
use tokio::time::timeout;
use tokio_postgres::{Config, NoTls};

const SECOND: Duration = Duration::from_secs(1);

async fn open(config: &Config) -> Session {
    let (client, connection) = config.connect(NoTls).await.unwrap();
    Session::new(client, connection)
}

async fn pair(lock: &mut Lock<Session>, wait: Wait) {
    assert!(lock.acquire(wait).await.unwrap());
    lock.release().await.unwrap();
}

/// Also the first time, when statements are prepared, and in both forms of key.
#[tokio::test]
async fn one_round_trip_each_way() {
    for key in [Key::Single(-7), Key::Pair(7, -7)] {
        for wait in [Wait::No, Wait::For(SECOND), Wait::Forever] {
            let proxy = Proxy::start(address()).unwrap();
            let mut lock = Lock::new(open(&towards(proxy.addr())).await, key).unwrap();
            proxy.reset();
            for trips in [2, 4, 6] {
                pair(&mut lock, wait).await;
                assert_eq!(proxy.round_trips(), trips, "{key}, {wait:?}");
            }
        }
    }
}

/// Statements that the caller drops are prepared again.
#[tokio::test]
async fn statements_that_were_discarded() {
    let mut lock = Lock::new(open(&config()).await, "own-discard").unwrap();
    for clear in ["SELECT", "DISCARD ALL", "DEALLOCATE ALL"] {
        pair(&mut lock, Wait::No).await;
        lock.session().unwrap().batch_execute(clear).await.unwrap();
    }
    pair(&mut lock, Wait::No).await;
}

/// Statements of the caller's are answered, at once after ours and while the lock is held.
#[tokio::test]
async fn the_callers_statements_are_driven() {
    let mut lock = Lock::new(open(&config()).await, "own-caller").unwrap();
    for _ in 0..100 {
        let mut guard = lock.try_lock().await.unwrap().unwrap();
        let answer = timeout(SECOND, show(guard.session(), "SELECT 1")).await;
        assert_eq!(answer.unwrap(), "1");
        timeout(SECOND, guard.release()).await.unwrap().unwrap();
    }
    let session = lock.into_session().await.unwrap();
    assert_eq!(timeout(SECOND, show(session.client(), "SELECT 2")).await.unwrap(), "2");
}

/// A session that ends between two calls.
#[tokio::test]
async fn the_end_is_heard() {
    let mut lock = Lock::new(open(&config()).await, "own-end").unwrap();
    assert!(lock.acquire(Wait::No).await.unwrap());
    let number = pid(lock.session().unwrap()).await;
    show(&connect().await, &format!("SELECT pg_terminate_backend({number})")).await;
    assert!(matches!(lock.release().await, Err(Error::Lost(_))));
    assert!(matches!(lock.acquire(Wait::No).await, Err(Error::Closed)));
    assert!(matches!(lock.into_session().await, Err(Error::Closed)));
}

/// A future that was dropped in the middle leaves its answer to the task.
#[tokio::test]
async fn a_dropped_exchange_is_driven_on() {
    let eye = Eye::open().await;
    let mut lock = Lock::new(open(&config()).await, "own-drop").unwrap();
    for polls in 1..6 {
        drop(polled(lock.acquire(Wait::No), polls).await);
        timeout(SECOND, lock.close()).await.unwrap().unwrap();
        pair(&mut lock, Wait::No).await;
    }
    drop(lock.try_lock().await.unwrap().unwrap());
    timeout(SECOND, eye.until("own-drop", (0, 0))).await.unwrap();
}

/// The server hears that a session was dropped, held lock and all.
#[tokio::test]
async fn a_dropped_session_says_goodbye() {
    let eye = Eye::open().await;
    let mut lock = Lock::new(open(&config()).await, "own-goodbye").unwrap();
    assert!(lock.acquire(Wait::No).await.unwrap());
    drop(lock);
    timeout(SECOND, eye.until("own-goodbye", (0, 0))).await.unwrap();
}
