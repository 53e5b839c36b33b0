//! What every lock promises: plain async functions, each over a new bed.

pub mod basics;
pub mod deadlock;
pub mod drops;
pub mod exclusion;
pub mod loss;
pub mod reentry;
pub mod shared;
pub mod waits;

use crate::bed::Bed;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// A key that no other case uses, on a server that others may use too.
#[must_use]
pub fn fresh_key(case: &str) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    format!("{case}-{}-{count}", std::process::id())
}

/// Waits until the server shows as many holders and waiters.
///
/// # Panics
/// When it does not within `limit`.
pub async fn until<B: Bed>(bed: &B, key: &str, seen: (usize, usize), limit: Duration) {
    let start = Instant::now();
    loop {
        let now = (bed.holders(key).await, bed.waiters(key).await);
        if now == seen {
            return;
        }
        assert!(start.elapsed() < limit, "{key}: {now:?} holders and waiters, not {seen:?}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// Waits for ever until the server shows a waiter: the moment a case can go on from.
pub async fn until_waiting<B: Bed>(bed: &B, key: &str, waiters: usize) {
    let start = Instant::now();
    while bed.waiters(key).await != waiters {
        assert!(start.elapsed() < Duration::from_secs(20), "{key}: nobody came to wait");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}
