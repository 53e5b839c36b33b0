//! Promise: shared locks stand together, and against exclusive ones, and let a writer through.

use super::{fresh_key, until_waiting};
use crate::bed::Bed;
use dlock_core::{RawShared, Wait};
use futures::future::join;
use std::time::Duration;

/// Many hold it shared at a time.
pub async fn together<B: Bed<Raw: RawShared>>(bed: B) {
    let key = fresh_key("together");
    let mut one = bed.lock(&key).await.shared();
    let mut other = bed.lock(&key).await.shared();
    for wait in [Wait::No, Wait::For(Duration::from_secs(5)), Wait::Forever] {
        assert!(one.acquire(wait).await.unwrap());
        assert!(other.acquire(wait).await.unwrap());
        assert_eq!(bed.holders(&key).await, 2);
        one.release().await.unwrap();
        assert_eq!(bed.holders(&key).await, 1);
        other.release().await.unwrap();
        assert_eq!(bed.holders(&key).await, 0);
    }
}

/// Shared keeps exclusive out, and exclusive shared.
pub async fn against_exclusive<B: Bed<Raw: RawShared>>(bed: B) {
    let key = fresh_key("against");
    let mut reader = bed.lock(&key).await.shared();
    let mut writer = bed.lock(&key).await;
    assert!(reader.acquire(Wait::No).await.unwrap());
    assert!(!writer.acquire(Wait::No).await.unwrap());
    assert!(!writer.acquire(Duration::from_millis(20)).await.unwrap());
    reader.release().await.unwrap();
    assert!(writer.acquire(Wait::No).await.unwrap());
    assert!(!reader.acquire(Wait::No).await.unwrap());
    assert!(!reader.acquire(Duration::from_millis(20)).await.unwrap());
    writer.release().await.unwrap();
    assert!(reader.acquire(Wait::No).await.unwrap());
    reader.release().await.unwrap();
}

/// A writer that waits gets its turn before readers that come later.
pub async fn no_starvation<B: Bed<Raw: RawShared>>(bed: B) {
    let key = fresh_key("starvation");
    let mut reader = bed.lock(&key).await.shared();
    let mut late = bed.lock(&key).await.shared();
    let mut writer = bed.lock(&key).await;
    assert!(reader.acquire(Wait::No).await.unwrap());
    let readers = async {
        until_waiting(&bed, &key, 1).await;
        if B::FAIR {
            assert!(!late.acquire(Wait::No).await.unwrap());
        }
        reader.release().await.unwrap();
    };
    let (granted, ()) = join(writer.acquire(Wait::Forever), readers).await;
    assert!(granted.unwrap());
    writer.release().await.unwrap();
}
