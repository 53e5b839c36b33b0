//! Locks in a transaction that was begun by hand and has failed, over every kind of session: nothing can
//! be let go of there, and nobody is told that it was.

use crate::eye::{Eye, connect, fail, session, show};
use dlock_core::{ByMut, ByRef, Wait};
use dlock_postgres::{AsSession, Error, Lock};
use std::sync::Arc;
use tokio_postgres::Client;

/// Over a session that others may use: nothing of theirs is touched.
async fn shared<S>(session: S, client: &Client, key: &str, in_background: bool)
where
    S: AsSession<Lend = ByRef> + Clone,
{
    let (eye, mut lock) = (Eye::open().await, Lock::new(session.clone(), key).unwrap());
    // A release by hand.
    let guard = lock.lock().await.unwrap();
    fail(client).await;
    assert!(matches!(guard.release().await, Err(Error::Driver(_))));
    assert!(lock.is_locked());
    client.batch_execute("ROLLBACK").await.unwrap();
    lock.release().await.unwrap();
    assert_eq!(eye.sees(key).await, (0, 0));
    // A scope.
    let left = lock
        .with(Wait::No, async |client| {
            fail(client).await;
            7
        })
        .await
        .unwrap_err();
    assert_eq!(left.value, Some(7));
    assert_eq!(eye.sees(key).await, (1, 0));
    freed(client, &eye, &mut lock, key, in_background).await;
    // A guard.
    let guard = lock.lock().await.unwrap();
    fail(client).await;
    drop(guard);
    assert!(lock.close().await.is_err());
    freed(client, &eye, &mut lock, key, in_background).await;
    // A guard and its lock.
    for next_is_shared in [false, true] {
        let mut lock = Lock::new(session.clone(), key).unwrap();
        let guard = lock.lock().await.unwrap();
        fail(client).await;
        drop(guard);
        drop(lock);
        let next = Lock::new(session.clone(), key).unwrap();
        let mut next = if next_is_shared { next.shared() } else { next };
        freed(client, &eye, &mut next, key, in_background).await;
        assert!(next.acquire(Wait::No).await.unwrap());
        next.release().await.unwrap();
        assert_eq!(eye.sees(key).await, (0, 0));
    }
}

/// Once the caller has rolled back: by itself, or with the next call.
async fn freed<S: AsSession>(
    client: &Client,
    eye: &Eye,
    lock: &mut Lock<S>,
    key: &str,
    in_background: bool,
) {
    assert_eq!(eye.sees(key).await, (1, 0));
    assert_eq!(show(client, "ROLLBACK").await, "");
    if in_background {
        eye.until(key, (0, 0)).await;
    }
    lock.close().await.unwrap();
    if !in_background {
        // Where the lock that left it is gone, the next one's acquire sees to it.
        assert!(lock.acquire(Wait::No).await.unwrap());
        lock.release().await.unwrap();
    }
    assert_eq!(eye.sees(key).await, (0, 0));
}

/// Over a session that nobody else uses: it is rolled back where nobody can choose any more.
async fn alone<S: AsSession<Lend = ByMut>>(session: S, key: &str, in_background: bool) {
    let (eye, mut lock) = (Eye::open().await, Lock::new(session, key).unwrap());
    // A release by hand refuses, and leaves the choice.
    let mut guard = lock.lock().await.unwrap();
    guard.session().batch_execute("BEGIN; SAVEPOINT mine").await.unwrap();
    guard.session().batch_execute("SELECT 1/0").await.unwrap_err();
    assert!(matches!(guard.release().await, Err(Error::Driver(_))));
    assert!(lock.is_locked());
    lock.session().unwrap().batch_execute("ROLLBACK TO mine").await.unwrap();
    lock.release().await.unwrap();
    lock.session().unwrap().batch_execute("COMMIT").await.unwrap();
    assert_eq!(eye.sees(key).await, (0, 0));
    // A scope.
    let value = lock
        .with(Wait::No, async |client| {
            fail(client).await;
            7
        })
        .await;
    assert_eq!(value.unwrap(), 7);
    assert_eq!(eye.sees(key).await, (0, 0));
    assert_eq!(show(lock.session().unwrap(), "SELECT 8").await, "8");
    // A guard.
    for closed in [true, false] {
        let mut guard = lock.lock().await.unwrap();
        fail(guard.session()).await;
        drop(guard);
        if in_background && !closed {
            eye.until(key, (0, 0)).await;
        }
        lock.close().await.unwrap();
        assert_eq!(eye.sees(key).await, (0, 0));
        assert_eq!(show(lock.session().unwrap(), "SELECT 9").await, "9");
    }
    // A transaction that has not failed is left alone.
    let mut guard = lock.lock().await.unwrap();
    guard
        .session()
        .batch_execute("DROP TABLE IF EXISTS work; CREATE TEMP TABLE work (n int); BEGIN")
        .await
        .unwrap();
    guard.session().batch_execute("INSERT INTO work VALUES (1)").await.unwrap();
    drop(guard);
    lock.close().await.unwrap();
    let client = lock.session().unwrap();
    client.batch_execute("COMMIT").await.unwrap();
    assert_eq!(show(client, "SELECT count(*) FROM work").await, "1");
    // A guard and its lock.
    let mut guard = lock.lock().await.unwrap();
    fail(guard.session()).await;
    drop(guard);
    drop(lock);
    if in_background {
        eye.until(key, (0, 0)).await;
    }
}

#[tokio::test]
async fn over_clients_that_are_shared() {
    let client = connect().await;
    shared(&client, &client, "transactions-ref", false).await;
    let client = Arc::new(connect().await);
    shared(Arc::clone(&client), &client, "transactions-arc", true).await;
    let both = Arc::new(session().await);
    shared(Arc::clone(&both), both.client(), "transactions-both", true).await;
}

#[tokio::test]
async fn over_clients_that_are_alone() {
    let (mut client, eye) = (connect().await, Eye::open().await);
    alone(&mut client, "transactions-mut", false).await;
    // What a borrowed client was left with is its owner's to see to, or the next lock's.
    assert_eq!(eye.sees("transactions-mut").await, (1, 0));
    client.batch_execute("ROLLBACK").await.unwrap();
    let mut next = Lock::new(&mut client, "transactions-mut").unwrap();
    assert!(next.acquire(Wait::No).await.unwrap());
    next.release().await.unwrap();
    assert_eq!(eye.sees("transactions-mut").await, (0, 0));
    drop(next);
    alone(client, "transactions-owned", true).await;
    alone(session().await, "transactions-session", true).await;
}

#[cfg(feature = "deadpool")]
#[tokio::test]
async fn over_an_object_of_a_deadpool() {
    let pool = crate::pools::deadpool(&crate::eye::config());
    alone(pool.get().await.unwrap(), "transactions-deadpool", true).await;
    assert_eq!(show(&pool.get().await.unwrap(), "SELECT 6").await, "6");
}

#[cfg(feature = "bb8")]
#[tokio::test]
async fn over_an_object_of_a_bb8_pool() {
    let pool = crate::pools::bb8(&crate::eye::config()).await;
    alone(pool.get_owned().await.unwrap(), "transactions-bb8", true).await;
    assert_eq!(show(&pool.get().await.unwrap(), "SELECT 6").await, "6");
}
