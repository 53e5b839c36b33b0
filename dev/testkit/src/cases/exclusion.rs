//! Promise: two sessions never both hold a key.

use super::fresh_key;
use crate::bed::Bed;
use dlock_core::Wait;
use futures::future::join_all;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// While one holds, the other does not get it, however it asks; afterwards it does.
pub async fn two_sessions<B: Bed>(bed: B) {
    let key = fresh_key("two");
    let (mut one, mut other) = (bed.lock(&key).await, bed.lock(&key).await);
    assert!(one.acquire(Wait::Forever).await.unwrap());
    assert!(!other.acquire(Wait::No).await.unwrap());
    assert!(!other.acquire(Duration::from_millis(20)).await.unwrap());
    assert!(other.try_lock().await.unwrap().is_none());
    assert!(!other.is_locked());
    one.release().await.unwrap();
    assert!(other.acquire(Wait::No).await.unwrap());
    assert!(!one.acquire(Wait::No).await.unwrap());
    other.release().await.unwrap();
}

/// Different keys do not touch.
pub async fn other_keys<B: Bed>(bed: B) {
    let mut one = bed.lock(&fresh_key("one")).await;
    let mut other = bed.lock(&fresh_key("other")).await;
    assert!(one.acquire(Wait::No).await.unwrap());
    assert!(other.acquire(Wait::No).await.unwrap());
    one.release().await.unwrap();
    other.release().await.unwrap();
}

/// A release, a close or a drop of one that does not hold the key does not free the holder's.
pub async fn next_holder<B: Bed>(bed: B) {
    let key = fresh_key("next");
    let (mut one, mut next) = (bed.lock(&key).await, bed.lock(&key).await);
    assert!(one.acquire(Wait::No).await.unwrap());
    one.release().await.unwrap();
    assert!(next.acquire(Wait::No).await.unwrap());
    one.close().await.unwrap();
    assert!(one.release().await.is_err());
    drop(one);
    assert_eq!(bed.holders(&key).await, 1);
    assert!(!bed.lock(&key).await.acquire(Wait::No).await.unwrap());
    next.release().await.unwrap();
}

/// A hundred critical sections by twenty sessions, and never two of them at a time.
pub async fn many_tasks<B: Bed>(bed: B) {
    let key = fresh_key("many");
    let locks = join_all((0..20).map(|_| bed.lock(&key))).await;
    let inside = AtomicU32::new(0);
    let sections = locks.into_iter().map(async |mut lock| {
        for _ in 0..5 {
            assert!(lock.acquire(Wait::Forever).await.unwrap());
            assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0);
            tokio::task::yield_now().await;
            assert_eq!(inside.fetch_sub(1, Ordering::SeqCst), 1);
            lock.release().await.unwrap();
        }
    });
    join_all(sections).await;
    assert_eq!((bed.holders(&key).await, bed.waiters(&key).await), (0, 0));
}
