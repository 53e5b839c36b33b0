//! Who holds a key on a session: several locks on it, what the caller took by hand, what a lock left.

use crate::eye::{Eye, connect, fail, holder, session, show};

use dlock_core::Wait;
use dlock_postgres::{AsSession, Error, Key, Lock, Number};
use dlock_testkit::polled::polled;
use std::mem::forget;
use std::sync::Arc;
use std::time::Duration;
const SECOND: Duration = Duration::from_secs(1);
pub(crate) fn lock_in<S: AsSession>(session: S, key: &str, shared: bool) -> Lock<S> {
    let lock = Lock::new(session, key).unwrap();
    if shared { lock.shared() } else { lock }
}

pub(crate) fn number(key: &str) -> i64 {
    match Key::from(key).number() {
        Number::Single(number) => number,
        Number::Pair(..) => unreachable!("a text is one number"),
    }
}

/// What a lock left in one mode is let go of before the key is taken in the other.
#[tokio::test]
async fn another_mode_than_what_was_left() {
    let eye = Eye::open().await;
    for shared in [false, true] {
        for early in [false, true] {
            let client = connect().await;
            let mut left = lock_in(&client, "claims-mode", shared);
            let guard = left.lock().await.unwrap();
            fail(&client).await;
            drop(guard);
            drop(left);
            let mut next = lock_in(&client, "claims-mode", !shared);
            if early {
                next.acquire(Wait::No).await.unwrap_err();
            }
            client.batch_execute("ROLLBACK").await.unwrap();
            assert!(next.acquire(Wait::No).await.unwrap());
            next.release().await.unwrap();
            assert_eq!(eye.sees("claims-mode").await, (0, 0), "shared: {shared}, early: {early}");
        }
    }
}

/// A mode that is set in doubt is that of the next acquire.
#[tokio::test]
async fn a_mode_set_in_doubt() {
    let (client, eye) = (connect().await, Eye::open().await);
    let mut lock = Lock::new(&client, "claims-doubt").unwrap();
    let guard = lock.lock().await.unwrap();
    fail(&client).await;
    drop(guard);
    let mut lock = lock.shared();
    assert!(lock.close().await.is_err());
    client.batch_execute("ROLLBACK").await.unwrap();
    lock.close().await.unwrap();
    assert_eq!(eye.sees("claims-doubt").await, (0, 0));
    assert!(lock.acquire(Wait::No).await.unwrap());
    let mut other = Lock::new(connect().await, "claims-doubt").unwrap().shared();
    assert!(other.acquire(Wait::No).await.unwrap(), "it is shared now");
}

/// What another lock tried to let go of, in vain, is not free.
#[tokio::test]
async fn a_close_that_another_lock_came_before() {
    let (client, eye) = (connect().await, Eye::open().await);
    let mut lock = Lock::new(&client, "claims-close").unwrap();
    let guard = lock.lock().await.unwrap();
    fail(&client).await;
    drop(guard);
    let mut other = Lock::new(&client, "claims-close").unwrap();
    other.acquire(Wait::No).await.unwrap_err();
    assert!(lock.close().await.is_err());
    assert_eq!(eye.sees("claims-close").await, (1, 0));
    client.batch_execute("ROLLBACK").await.unwrap();
    lock.close().await.unwrap();
    assert_eq!(eye.sees("claims-close").await, (0, 0));
}

/// A key that the caller freed by hand, and another lock took since, is that lock's.
#[tokio::test]
async fn what_another_lock_took_since() {
    let (client, eye) = (connect().await, Eye::open().await);
    for clear in ["SELECT pg_advisory_unlock_all()", "DISCARD ALL"] {
        for released in [true, false] {
            let mut lost = Lock::new(&client, "claims-since").unwrap();
            assert!(lost.acquire(Wait::No).await.unwrap());
            client.batch_execute(clear).await.unwrap();
            let mut taken = Lock::new(&client, "claims-since").unwrap();
            assert!(taken.acquire(Wait::No).await.unwrap());
            if released {
                let answer = lost.release().await;
                assert!(matches!(answer, Err(Error::Lost(None))), "{answer:?}");
            }
            drop(lost);
            show(&client, "SELECT 1").await;
            assert_eq!(eye.sees("claims-since").await, (1, 0), "{clear}, released: {released}");
            taken.release().await.unwrap();
            assert_eq!(eye.sees("claims-since").await, (0, 0));
        }
    }
}

/// A lock was forgotten while it held, and its client replaced by another at the same address.
#[tokio::test]
async fn forgotten_by_another_client() {
    let eye = Eye::open().await;
    let mut client = connect().await;
    for shared in [false, true] {
        let mut lock = lock_in(&client, "claims-forgotten", shared);
        assert!(lock.acquire(Wait::No).await.unwrap());
        let mut second = Lock::new(&client, "claims-forgotten").unwrap();
        assert!(matches!(second.acquire(Wait::No).await, Err(Error::AlreadyHeld)));
        forget(lock);
        drop(second);
        client = connect().await;
        eye.until("claims-forgotten", (0, 0)).await;
        let mut lock = Lock::new(&client, "claims-forgotten").unwrap();
        assert!(lock.acquire(Wait::No).await.unwrap());
        lock.release().await.unwrap();
    }
    assert_eq!(eye.sees("claims-forgotten").await, (0, 0));
}

/// A close that failed, or was dropped, leaves it to the background, which goes on after the rollback.
#[tokio::test]
async fn a_close_in_a_failed_transaction_that_is_the_last_call() {
    let eye = Eye::open().await;
    for polls in [1, 100] {
        let client = Arc::new(connect().await);
        let mut lock = Lock::new(Arc::clone(&client), "claims-last").unwrap();
        let guard = lock.lock().await.unwrap();
        fail(&client).await;
        drop(guard);
        let answer = polled(lock.close(), polls).await;
        assert!(answer.is_none_or(|answer| answer.is_err()), "after {polls}");
        drop(lock);
        assert_eq!(eye.sees("claims-last").await, (1, 0));
        client.batch_execute("ROLLBACK").await.unwrap();
        eye.until("claims-last", (0, 0)).await;
    }
}

/// A release that has been sent and is left alone, while another lock takes the key: the key is that
/// one's, whatever becomes of the release.
#[tokio::test]
async fn a_release_that_is_parked() {
    let (client, both) = (Arc::new(connect().await), Arc::new(session().await));
    for dropped in [false, true] {
        parked_release(Arc::clone(&client), "claims-parked", dropped).await;
        parked_release(Arc::clone(&both), "claims-parked-both", dropped).await;
    }
}

async fn parked_release<S: AsSession + Clone>(session: S, key: &str, dropped: bool) {
    let eye = Eye::open().await;
    let mut first = Lock::new(session.clone(), key).unwrap();
    let mut second = Lock::new(session, key).unwrap();
    assert!(first.acquire(Wait::No).await.unwrap());
    let mut release = Box::pin(first.release());
    assert!(polled(&mut release, 1).await.is_none());
    assert!(second.acquire(Wait::No).await.unwrap());
    if dropped {
        drop(release);
        drop(first);
    } else {
        release.await.unwrap();
    }
    assert!(second.is_locked());
    tokio::time::sleep(SECOND / 20).await;
    assert_eq!(eye.sees(key).await, (1, 0), "{key}, dropped: {dropped}");
    second.release().await.unwrap();
    assert_eq!(eye.sees(key).await, (0, 0), "{key}, dropped: {dropped}");
}

/// A lock was forgotten while it waited, and its client replaced by another at the same address: its turn
/// is nobody's any more.
#[tokio::test]
async fn forgotten_while_it_waited() {
    let (eye, _held) = (Eye::open().await, holder("claims-turn").await);
    let mut client = connect().await;
    {
        let lock = Box::leak(Box::new(Lock::new(&client, "claims-turn").unwrap()));
        let mut wait = Box::pin(lock.acquire(Wait::Forever));
        tokio::select! {
            answer = &mut wait => panic!("{answer:?}"),
            () = eye.until("claims-turn", (1, 1)) => {}
        }
        forget(wait);
    }
    client = connect().await;
    let mut lock = Lock::new(&client, "claims-turn-2").unwrap();
    let mut other = holder("claims-turn-2").await;
    let release = async {
        tokio::time::sleep(SECOND / 10).await;
        other.release().await.unwrap();
    };
    let (answer, ()) = futures::future::join(lock.acquire(SECOND * 4), release).await;
    assert!(answer.unwrap());
}
