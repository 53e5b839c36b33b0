//! Two processes never both hold.

use crate::bench::Bench;
use dlock_core::Wait;
use dlock_locks::Error;
use dlock_oracle::{Lock, Locks};
use dlock_testkit::trial::BUSY;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

async fn work(locks: Locks, key: u32, inside: Arc<Vec<AtomicUsize>>) {
    let place = usize::try_from(key % 10).expect("a small number");
    for _ in 0..5 {
        let held = locks.lock(key).await.expect("a lock");
        assert_eq!(inside[place].fetch_add(1, Ordering::SeqCst), 0, "{key} is held twice");
        tokio::task::yield_now().await;
        inside[place].fetch_sub(1, Ordering::SeqCst);
        held.release().await.expect("a release");
    }
}

pub(crate) async fn many_tasks() {
    let bench = Bench::new("many tasks");
    let processes = [bench.locks(), bench.locks()];
    let inside = Arc::new(Vec::from_iter((0..10).map(|_| AtomicUsize::new(0))));
    let mut tasks = JoinSet::new();
    for number in 0..200_usize {
        let key = u32::try_from(number / 2 % 10).expect("a small number") + 71_000;
        tasks.spawn(work(processes[number % 2].clone(), key, Arc::clone(&inside)));
    }
    tasks.join_all().await;
    for locks in processes {
        assert_eq!(locks.stats().await.expect("counts").losses, 0);
        locks.close().await;
    }
}

pub(crate) async fn lock_and_locks() {
    let bench = Bench::new("lock and locks");
    let (locks, mut lock) =
        (bench.locks(), Lock::new(bench.place.connect(), "lock and locks k").expect("a key"));
    let held = locks.lock("lock and locks k").await.expect("a lock");
    assert!(!lock.acquire(Wait::No).await.expect("an answer"));
    held.release().await.expect("a release");
    assert!(lock.acquire(Wait::No).await.expect("an answer"));
    assert!(locks.try_lock("lock and locks k").await.expect("an answer").is_none());
    let waits = tokio::spawn({
        let locks = locks.clone();
        async move { locks.lock("lock and locks k").await.map(drop) }
    });
    bench.until("lock and locks k", (1, 1)).await;
    lock.release().await.expect("a release");
    waits.await.expect("no panic").expect("a lock");
    bench.until("lock and locks k", (0, 0)).await;
}

/// What waits in one process has the key as soon as the other lets go.
pub(crate) async fn hand_over() {
    let bench = Bench::new("hand over");
    let [one, other] = [bench.locks(), bench.locks()];
    let mut took = Vec::new();
    for _ in 0..20 {
        let held = one.lock("hand over k").await.expect("a lock");
        let waits = tokio::spawn({
            let other = other.clone();
            async move { (other.lock("hand over k").await.expect("a lock"), Instant::now()) }
        });
        bench.until("hand over k", (1, 1)).await;
        let released = Instant::now();
        held.release().await.expect("a release");
        let (held, granted) = waits.await.expect("no panic");
        took.push(granted.saturating_duration_since(released));
        held.release().await.expect("a release");
    }
    took.sort();
    println!("hand-over: {:?} in the median", took[took.len() / 2]);
    assert!(took[took.len() / 2] < ms(100), "{took:?}");
}

pub(crate) async fn bounds_are_kept() {
    let bench = Bench::new("bounds");
    let [one, other] = [bench.locks(), bench.locks()];
    let held = one.lock("bounds are kept k").await.expect("a lock");
    for limit in [ms(1), ms(50), ms(300), ms(1500)] {
        let mut late = Vec::new();
        for _ in 0..3 {
            let begun = Instant::now();
            let refused = other.lock_within("bounds are kept k", limit).await;
            assert!(matches!(refused, Err(Error::TimedOut { .. })), "{refused:?}");
            assert!(begun.elapsed() >= limit, "{:?} of {limit:?}", begun.elapsed());
            late.push(begun.elapsed() - limit);
        }
        late.sort();
        assert!(late[1] < ms(100) && late[2] < BUSY, "{late:?} after {limit:?}");
    }
    held.release().await.expect("a release");
    other.lock("bounds are kept k").await.expect("a lock").release().await.expect("a release");
}

/// Nobody holds, nor waits, a slice after the last of them is gone.
pub(crate) async fn dropped_waits() {
    let bench = Bench::new("dropped waits");
    let [one, other] = [bench.locks(), bench.locks()];
    let held = one.lock("dropped waits k").await.expect("a lock");
    for number in 0..50 {
        let wait = other.lock("dropped waits k");
        assert!(tokio::time::timeout(ms(number), wait).await.is_err());
    }
    let dropped = Instant::now();
    bench.until("dropped waits k", (1, 0)).await;
    assert!(dropped.elapsed() < ms(1000) + BUSY, "{:?}", dropped.elapsed());
    held.release().await.expect("a release");
    bench.until("dropped waits k", (0, 0)).await;
    other.lock("dropped waits k").await.expect("a lock").release().await.expect("a release");
}
