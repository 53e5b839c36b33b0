//! Promise: a wait ends when it was asked to, not before, and not much later.

use super::{fresh_key, until_waiting};
use crate::bed::Bed;
use crate::proxy::Proxy;
use dlock_core::{GRACE, Wait};
use futures::future::join;
use std::time::{Duration, Instant};

/// No wait answers at once.
pub async fn no_wait<B: Bed>(bed: B) {
    let key = fresh_key("no-wait");
    let (mut holder, mut lock) = (bed.lock(&key).await, bed.lock(&key).await);
    assert!(holder.acquire(Wait::No).await.unwrap());
    for wait in [Wait::No, Wait::For(Duration::ZERO)] {
        let start = Instant::now();
        assert!(!lock.acquire(wait).await.unwrap());
        assert!(start.elapsed() < Duration::from_millis(500), "{:?}", start.elapsed());
    }
    holder.release().await.unwrap();
}

/// How often a bounded wait is tried.
const TRIES: usize = 5;

/// A bounded wait never gives up before its time, which may be next to nothing; it is 50 ms late at
/// most in the median, 500 ms in each.
pub async fn bounded<B: Bed>(bed: B) {
    let key = fresh_key("bounded");
    let (mut holder, mut lock) = (bed.lock(&key).await, bed.lock(&key).await);
    assert!(holder.acquire(Wait::No).await.unwrap());
    let limits = [1, 1_000_000, 50_000_000, 300_000_000, 1_500_000_000].map(Duration::from_nanos);
    for limit in limits {
        let mut late = Vec::new();
        for _ in 0..TRIES {
            let start = Instant::now();
            assert!(!lock.acquire(limit).await.unwrap());
            let took = start.elapsed();
            late.push(took.checked_sub(limit).unwrap_or_else(|| panic!("{took:?} of {limit:?}")));
        }
        late.sort_unstable();
        assert!(late[TRIES / 2] <= Duration::from_millis(50) + B::SLACK, "{limit:?}: {late:?}");
        assert!(late[TRIES - 1] <= Duration::from_millis(500) + B::SLACK, "{limit:?}: {late:?}");
    }
    holder.release().await.unwrap();
}

/// Waits outlast the session's own limits, and leave them as they were.
pub async fn for_ever<B: Bed>(bed: B) {
    let key = fresh_key("for-ever");
    for wait in [Wait::Forever, Wait::For(Duration::from_secs(30))] {
        let (mut holder, mut lock) = (bed.lock(&key).await, bed.hurried(&key).await);
        assert!(holder.acquire(Wait::No).await.unwrap());
        let patience = async {
            tokio::time::sleep(Duration::from_millis(700)).await;
            holder.release().await.unwrap();
        };
        let (granted, ()) = join(lock.acquire(wait), patience).await;
        assert!(granted.unwrap(), "{wait:?}");
        lock.release().await.unwrap();
    }
}

/// A waiter gets the key when it is released, not when it looks again.
pub async fn hand_over<B: Bed>(bed: B) {
    let key = fresh_key("hand-over");
    let (mut one, mut other) = (bed.lock(&key).await, bed.lock(&key).await);
    let mut took = Vec::new();
    for _ in 0..7 {
        assert!(one.acquire(Wait::No).await.unwrap());
        let release = async {
            until_waiting(&bed, &key, 1).await;
            let start = Instant::now();
            one.release().await.unwrap();
            start
        };
        let wait = async {
            assert!(other.acquire(Wait::Forever).await.unwrap());
            Instant::now()
        };
        let (start, end) = join(release, wait).await;
        took.push(end.saturating_duration_since(start));
        other.release().await.unwrap();
    }
    took.sort_unstable();
    assert!(took[took.len() / 2] < B::HAND_OVER, "{took:?}");
}

/// Waiters are served in the order they came, where the server does that.
pub async fn order<B: Bed>(bed: B) {
    let key = fresh_key("order");
    let mut holder = bed.lock(&key).await;
    assert!(holder.acquire(Wait::No).await.unwrap());
    let served = std::sync::Mutex::new(Vec::new());
    let wait = async |place: usize| {
        let mut lock = bed.lock(&key).await;
        until_waiting(&bed, &key, place).await;
        assert!(lock.acquire(Wait::Forever).await.unwrap());
        served.lock().unwrap().push(place);
        lock.release().await.unwrap();
    };
    let release = async {
        until_waiting(&bed, &key, 4).await;
        holder.release().await.unwrap();
    };
    tokio::join!(wait(0), wait(1), wait(2), wait(3), release);
    let mut served = served.into_inner().unwrap();
    if !B::FAIR {
        served.sort_unstable();
    }
    assert_eq!(served, [0, 1, 2, 3]);
}

/// A bounded wait on a server that has gone silent returns, and does not say that it timed out.
pub async fn silent_server<B: Bed>(bed: B) {
    let Some(address) = bed.address() else { return };
    let proxy = Proxy::start(address).unwrap();
    let key = fresh_key("silent");
    let mut lock = bed.lock_through(proxy.addr(), &key).await;
    proxy.blackhole();
    let (limit, start) = (Duration::from_millis(100), Instant::now());
    let answer = lock.acquire(limit).await;
    assert!(answer.is_err(), "{answer:?}");
    assert!(!lock.is_locked());
    assert!(start.elapsed() < limit + GRACE + Duration::from_millis(500), "{:?}", start.elapsed());
    proxy.cut();
    let start = Instant::now();
    while bed.holders(&key).await + bed.waiters(&key).await > 0 {
        assert!(start.elapsed() < Duration::from_secs(20), "still held or awaited");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
