//! Promise: the flag tells the truth, misuse is refused, guards and scopes release.

use super::{fresh_key, until};
use crate::bed::Bed;
use dlock_core::{Error, Wait};
use std::time::Duration;

/// Unlocked at first; acquire sets the flag; release clears it; all of it seen by the server.
pub async fn flag<B: Bed>(bed: B) {
    let key = fresh_key("flag");
    let mut lock = bed.lock(&key).await;
    assert!(!lock.is_locked());
    assert!(lock.acquire(Wait::Forever).await.unwrap());
    assert!(lock.is_locked());
    assert!(format!("{lock}").contains("locked") && !format!("{lock}").contains("unlocked"));
    assert_eq!(bed.holders(&key).await, 1);
    lock.release().await.unwrap();
    assert!(!lock.is_locked());
    assert!(format!("{lock:?}").contains("unlocked"));
    assert_eq!(bed.holders(&key).await, 0);
}

/// Acquire on locked and release on unlocked are errors; close is idempotent; the lock goes on.
pub async fn misuse<B: Bed>(bed: B) {
    let key = fresh_key("misuse");
    let mut lock = bed.lock(&key).await;
    assert!(matches!(lock.release().await, Err(Error::NotLocked)));
    lock.close().await.unwrap();
    for wait in [Wait::No, Wait::For(Duration::from_secs(5)), Wait::Forever] {
        assert!(lock.acquire(wait).await.unwrap(), "{wait:?}");
        assert!(matches!(lock.acquire(wait).await, Err(Error::AlreadyLocked)), "{wait:?}");
        assert!(lock.is_locked());
        assert_eq!(bed.holders(&key).await, 1);
        lock.close().await.unwrap();
        lock.close().await.unwrap();
        assert!(!lock.is_locked());
        assert!(matches!(lock.release().await, Err(Error::NotLocked)));
        assert_eq!(bed.holders(&key).await, 0);
    }
}

/// A guard of each kind of wait holds the key and releases it.
pub async fn guards<B: Bed>(bed: B) {
    let key = fresh_key("guards");
    let mut lock = bed.lock(&key).await;
    let guard = lock.lock().await.unwrap();
    assert_eq!(bed.holders(&key).await, 1);
    guard.release().await.unwrap();
    let guard = lock.try_lock().await.unwrap().expect("free");
    guard.release().await.unwrap();
    let guard = lock.lock_within(Duration::from_secs(5)).await.unwrap();
    assert_eq!(bed.holders(&key).await, 1);
    guard.release().await.unwrap();
    assert_eq!(bed.holders(&key).await, 0);
}

/// An owned guard gives the lock back, and so does a wait that ran out.
pub async fn owned_guards<B: Bed>(bed: B) {
    let key = fresh_key("owned");
    let lock = bed.lock(&key).await;
    let guard = lock.lock_owned().await.unwrap();
    let refused = bed.lock(&key).await.try_lock_owned().await.expect_err("held");
    assert!(matches!(refused.error, Error::TimedOut) && !refused.lock.is_locked());
    let limit = Duration::from_millis(50);
    let refused = refused.lock.lock_owned_within(limit).await.expect_err("held");
    assert!(matches!(refused.error, Error::TimedOut));
    let lock = guard.release().await.unwrap();
    assert!(!lock.is_locked());
    let guard = refused.lock.try_lock_owned().await.expect("free again");
    drop(guard.release().await.unwrap());
    until(&bed, &key, (0, 0), B::FORGETS).await;
}

/// A scope runs under the lock, gives the closure's value, and releases whatever it is.
pub async fn scope<B: Bed>(bed: B) {
    let key = fresh_key("scope");
    let mut lock = bed.lock(&key).await;
    let (eye, name) = (&bed, key.as_str());
    let held = lock.with(Wait::Forever, async |_| eye.holders(name).await).await.unwrap();
    assert_eq!(held, 1);
    assert_eq!(bed.holders(&key).await, 0);
    let value: Result<(), &str> = lock.with(Wait::No, async |_| Err("own")).await.unwrap();
    assert_eq!(value, Err("own"));
    assert!(!lock.is_locked());
    let mut other = bed.lock(&key).await;
    assert!(other.acquire(Wait::No).await.unwrap());
    for wait in [Wait::No, Wait::For(Duration::from_millis(30))] {
        let refused = lock.with(wait, async |_| unreachable!("held elsewhere")).await;
        assert!(matches!(refused.map_err(Error::from), Err::<(), _>(Error::TimedOut)), "{wait:?}");
    }
    other.release().await.unwrap();
}

/// The session is lent before, during and after, and answers what it is asked.
pub async fn session<B: Bed>(bed: B) {
    let mut lock = bed.lock(&fresh_key("session")).await;
    assert_eq!(B::echo(lock.session().expect("unlocked"), 1).await.unwrap(), 1);
    let mut guard = lock.lock().await.unwrap();
    assert_eq!(B::echo(guard.session(), 2).await.unwrap(), 2);
    guard.release().await.unwrap();
    assert_eq!(B::echo(lock.session().expect("unlocked again"), 3).await.unwrap(), 3);
}
