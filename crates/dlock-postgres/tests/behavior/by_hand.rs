//! Beside locks of a transaction, and beside what the caller took by hand.

use crate::claims::{lock_in, number};
use crate::eye::{Eye, connect, fail, holder, session, show};
use dlock_core::Wait;
use dlock_postgres::{AsSession, Error, Lock, XactLock};
use dlock_testkit::polled::polled;
use std::mem::forget;
use std::sync::Arc;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);
const WAITS: [Wait; 3] = [Wait::No, Wait::For(SECOND), Wait::Forever];

/// A transaction's lock first: a session's is refused for as long as that holds, however often it asks.
#[tokio::test]
async fn a_lock_behind_a_transactions_own() {
    let (mut client, eye) = (connect().await, Eye::open().await);
    let transaction = client.transaction().await.unwrap();
    XactLock::new(&transaction, "claims-xact").unwrap().lock().await.unwrap();
    for wait in WAITS {
        let answer = Lock::new(transaction.client(), "claims-xact").unwrap().acquire(wait).await;
        assert!(matches!(answer, Err(Error::AlreadyHeld)), "{answer:?}");
    }
    transaction.commit().await.unwrap();
    assert_eq!(eye.sees("claims-xact").await, (0, 0));
    let mut lock = Lock::new(&client, "claims-xact").unwrap();
    assert!(lock.acquire(Wait::No).await.unwrap());
    lock.release().await.unwrap();
}

/// The same over both halves, whose tries are prepared and cannot see a transaction.
#[tokio::test]
async fn a_prepared_lock_behind_a_transactions_own() {
    let eye = Eye::open().await;
    let mut outer = Lock::new(session().await, "claims-outer").unwrap();
    assert!(outer.acquire(Wait::No).await.unwrap());
    outer.release().await.unwrap();
    let transaction = outer.session().unwrap().transaction().await.unwrap();
    XactLock::new(&transaction, "claims-halves").unwrap().lock().await.unwrap();
    forget(transaction);
    // The session goes on inside the transaction, as one that was begun by hand.
    let session = Arc::new(outer.into_session().await.unwrap());
    let mut lock = Lock::new(Arc::clone(&session), "claims-halves").unwrap();
    for wait in [Wait::No, Wait::Forever, Wait::No] {
        let answer = lock.acquire(wait).await;
        assert!(matches!(answer, Err(Error::AlreadyHeld)), "{answer:?}");
        assert_eq!(eye.sees("claims-halves").await, (1, 0));
    }
    assert!(polled(lock.acquire(Wait::No), 1).await.is_none());
    lock.close().await.unwrap();
    let answer = lock.acquire(Wait::No).await;
    assert!(matches!(answer, Err(Error::AlreadyHeld)), "{answer:?}");
    session.client().batch_execute("SAVEPOINT mine").await.unwrap();
    session.client().batch_execute("SELECT 1/0").await.unwrap_err();
    assert!(matches!(lock.acquire(Wait::No).await, Err(Error::Driver(_))));
    session.client().batch_execute("ROLLBACK TO mine").await.unwrap();
    let answer = lock.acquire(Wait::No).await;
    assert!(matches!(answer, Err(Error::AlreadyHeld)), "{answer:?}");
    session.client().batch_execute("COMMIT").await.unwrap();
    assert_eq!(eye.sees("claims-halves").await, (0, 0));
    assert!(lock.acquire(Wait::No).await.unwrap());
    lock.release().await.unwrap();
}

/// A session's lock first: a transaction's is refused.
#[tokio::test]
async fn a_transactions_lock_behind_a_sessions() {
    let eye = Eye::open().await;
    let mut lock = Lock::new(session().await, "claims-first").unwrap();
    let mut guard = lock.lock().await.unwrap();
    let transaction = guard.session().transaction().await.unwrap();
    for wait in WAITS {
        for shared in [false, true] {
            let second = XactLock::new(&transaction, "claims-first").unwrap();
            let mut second = if shared { second.shared() } else { second };
            assert!(matches!(second.acquire(wait).await, Err(Error::AlreadyHeld)));
        }
    }
    assert_eq!(show(transaction.client(), "SELECT 5").await, "5");
    transaction.commit().await.unwrap();
    guard.release().await.unwrap();
    assert_eq!(eye.sees("claims-first").await, (0, 0));
}

/// A savepoint that is rolled back takes the transaction's lock with it; the next one asks the server.
#[tokio::test]
async fn rolled_back_under_a_transactions_lock() {
    let (mut client, eye) = (connect().await, Eye::open().await);
    let transaction = client.transaction().await.unwrap();
    transaction.batch_execute("SAVEPOINT mine").await.unwrap();
    XactLock::new(&transaction, "claims-back").unwrap().lock().await.unwrap();
    transaction.batch_execute("ROLLBACK TO mine").await.unwrap();
    assert_eq!(eye.sees("claims-back").await, (0, 0));
    let mut lock = Lock::new(transaction.client(), "claims-back").unwrap();
    assert!(lock.acquire(Wait::Forever).await.unwrap());
    lock.release().await.unwrap();
    drop(lock);
    XactLock::new(&transaction, "claims-back").unwrap().lock().await.unwrap();
    assert_eq!(eye.sees("claims-back").await, (1, 0));
    transaction.commit().await.unwrap();
    assert_eq!(eye.sees("claims-back").await, (0, 0));
}

/// What the caller took by hand is the caller's: a lock on the same key comes and goes, by release, by a
/// drop at each moment and in each mode, and the caller's stays.
#[tokio::test]
async fn a_key_taken_by_hand() {
    let eye = Eye::open().await;
    // A session's two modes of one key are two rows of `pg_locks`.
    for (by_hand, shared, seen) in
        [("", false, 1), ("", true, 2), ("_shared", false, 2), ("_shared", true, 1)]
    {
        let client = Arc::new(connect().await);
        let take = format!("SELECT pg_advisory_lock{by_hand}({})", number("claims-hand"));
        client.batch_execute(&take).await.unwrap();
        for released in [false, true] {
            let mut lock = lock_in(Arc::clone(&client), "claims-hand", shared);
            assert!(polled(lock.acquire(Wait::No), 1).await.is_none());
            lock.close().await.unwrap();
            assert!(lock.acquire(Wait::No).await.unwrap());
            assert_eq!(eye.sees("claims-hand").await, (seen, 0));
            if released {
                lock.release().await.unwrap();
            }
            drop(lock);
            eye.until("claims-hand", (1, 0)).await;
        }
        let freed = format!("SELECT pg_advisory_unlock{by_hand}({})", number("claims-hand"));
        assert_eq!(show(&client, &freed).await, "t");
        assert_eq!(eye.sees("claims-hand").await, (0, 0), "{by_hand}, shared: {shared}");
    }
}

/// A wait for the other mode beside another holder is dropped: the caller's stays.
#[tokio::test]
async fn a_wait_for_more_than_was_taken_by_hand() {
    let eye = Eye::open().await;
    let mut reader = Lock::new(connect().await, "claims-more").unwrap().shared();
    assert!(reader.acquire(Wait::No).await.unwrap());
    let client = Arc::new(connect().await);
    let take = format!("SELECT pg_advisory_lock_shared({})", number("claims-more"));
    client.batch_execute(&take).await.unwrap();
    for _ in 0..3 {
        let mut writer = Lock::new(Arc::clone(&client), "claims-more").unwrap();
        let wait = tokio::time::timeout(SECOND * 5, eye.until("claims-more", (2, 1)));
        tokio::select! {
            answer = writer.lock() => panic!("{answer:?}"),
            seen = wait => seen.unwrap(),
        }
        drop(writer);
        eye.until("claims-more", (2, 0)).await;
    }
}

/// A try that is dropped in a failed transaction was not made: nothing is let go of after the rollback.
#[tokio::test]
async fn a_dropped_try_in_a_failed_transaction() {
    let (client, eye) = (Arc::new(connect().await), Eye::open().await);
    let take = format!("SELECT pg_advisory_lock({})", number("claims-failed"));
    client.batch_execute(&take).await.unwrap();
    fail(&client).await;
    let mut lock = Lock::new(Arc::clone(&client), "claims-failed").unwrap();
    assert!(polled(lock.acquire(Wait::No), 1).await.is_none());
    drop(lock);
    client.batch_execute("ROLLBACK").await.unwrap();
    // The background tries again every few milliseconds at first.
    tokio::time::sleep(SECOND / 2).await;
    assert_eq!(eye.sees("claims-failed").await, (1, 0));
}

/// Once that transaction is over the lock waits as any other does.
#[tokio::test]
async fn a_wait_behind_a_transaction_that_is_over() {
    let eye = Eye::open().await;
    let mut outer = Lock::new(session().await, "claims-over").unwrap();
    let transaction = outer.session().unwrap().transaction().await.unwrap();
    XactLock::new(&transaction, "claims-over").unwrap().lock().await.unwrap();
    transaction.commit().await.unwrap();
    let mut other = holder("claims-over").await;
    let release = async {
        eye.until("claims-over", (1, 1)).await;
        other.release().await.unwrap();
    };
    let (granted, ()) = futures::future::join(outer.acquire(Wait::Forever), release).await;
    assert!(granted.unwrap());
    outer.release().await.unwrap();
}

/// The same over an owned client that nobody else has: a try there says nothing of the caller's away.
#[tokio::test]
async fn a_dropped_try_leaves_the_callers_savepoint() {
    for halves in [false, true] {
        if halves {
            keeps_savepoint(session().await, "claims-savepoint-halves").await;
        } else {
            keeps_savepoint(connect().await, "claims-savepoint").await;
        }
    }
}

async fn keeps_savepoint<S: AsSession<Lend = dlock_core::ByMut>>(session: S, key: &str) {
    let (mut lock, eye) = (Lock::new(session, key).unwrap(), Eye::open().await);
    let client = lock.session().unwrap();
    client.batch_execute("CREATE TEMP TABLE work (n int)").await.unwrap();
    client.batch_execute(&format!("SELECT pg_advisory_lock({})", number(key))).await.unwrap();
    client.batch_execute("BEGIN; INSERT INTO work VALUES (1); SAVEPOINT mine").await.unwrap();
    client.batch_execute("SELECT 1/0").await.unwrap_err();
    assert!(polled(lock.acquire(Wait::No), 1).await.is_none());
    lock.close().await.unwrap();
    let client = lock.session().unwrap();
    client.batch_execute("ROLLBACK TO mine; COMMIT").await.unwrap();
    assert_eq!(show(client, "SELECT count(*) FROM work").await, "1");
    assert_eq!(eye.sees(key).await, (1, 0));
}
