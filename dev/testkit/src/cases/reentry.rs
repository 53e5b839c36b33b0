//! Promise: a second lock object over the same session and key never silently re-enters.

use super::fresh_key;
use crate::bed::SharedBed;
use dlock_core::{Error, RawShared, Wait};
use std::time::Duration;

const WAITS: [Wait; 3] = [Wait::No, Wait::For(Duration::from_millis(200)), Wait::Forever];

/// Refused while the first is held, in every kind of wait; works after it is released.
pub async fn refused<B: SharedBed>(bed: B) {
    let key = fresh_key("reentry");
    let [mut one, mut other] = bed.locks([&key, &key]).await;
    for wait in WAITS {
        assert!(one.acquire(wait).await.unwrap());
        let answer = other.acquire(wait).await;
        assert!(matches!(answer, Err(Error::AlreadyHeld)), "{wait:?}: {answer:?}");
        assert!(!other.is_locked());
        one.release().await.unwrap();
        assert_eq!(bed.holders(&key).await, 0);
        assert!(other.acquire(wait).await.unwrap());
        other.release().await.unwrap();
    }
}

/// Shared twice is refused too, and so is one mode after the other.
pub async fn shared_refused<B: SharedBed<Raw: RawShared>>(bed: B) {
    let key = fresh_key("reentry-shared");
    let [one, other, mut third] = bed.locks([&key, &key, &key]).await;
    let (mut one, mut other) = (one.shared(), other.shared());
    for wait in WAITS {
        assert!(one.acquire(wait).await.unwrap());
        assert!(matches!(other.acquire(wait).await, Err(Error::AlreadyHeld)));
        assert!(matches!(third.acquire(wait).await, Err(Error::AlreadyHeld)));
        one.release().await.unwrap();
        assert_eq!(bed.holders(&key).await, 0);
    }
}

/// One session holds many keys at a time, each by a lock of its own.
pub async fn many_keys<B: SharedBed>(bed: B) {
    let keys = [fresh_key("a"), fresh_key("b"), fresh_key("c")];
    let mut locks = bed.locks(keys.each_ref().map(String::as_str)).await;
    for lock in &mut locks {
        assert!(lock.acquire(Wait::No).await.unwrap());
    }
    for (lock, key) in locks.iter_mut().zip(&keys) {
        assert_eq!(bed.holders(key).await, 1);
        lock.release().await.unwrap();
        assert_eq!(bed.holders(key).await, 0);
    }
}
