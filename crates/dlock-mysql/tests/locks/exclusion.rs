//! Locks exclude each other, across processes and with locks over the caller's own connections.

use crate::server::{Flavour, conn, opts, until_awaited};
use crate::{locks, ms};
use dlock_core::Wait;
use dlock_locks::Error;
use dlock_mysql::{Lock, Locks};
use dlock_testkit::cases::fresh_key;
use dlock_testkit::trial::BUSY;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;
use tokio::task::JoinSet;

async fn work(locks: Locks, key: String, inside: Arc<AtomicUsize>) {
    for round in 0..5 {
        let held = match round % 2 {
            0 => locks.lock(&key).await.expect("a lock"),
            _ => locks.lock_within(&key, ms(60_000)).await.expect("a lock"),
        };
        assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0, "{key} is held twice");
        tokio::task::yield_now().await;
        inside.fetch_sub(1, Ordering::SeqCst);
        held.release().await.expect("a release");
    }
}

/// Ten keys, two processes, twenty tasks on each key.
pub(crate) async fn many_tasks<E: Flavour>() {
    let (processes, key) = ([locks(opts::<E>()), locks(opts::<E>())], fresh_key("tasks"));
    let mut tasks = JoinSet::new();
    for number in 0..10 {
        let inside = Arc::new(AtomicUsize::new(0));
        for task in 0..20 {
            let locks = processes[task % 2].clone();
            tasks.spawn(work(locks, format!("{key} {number}"), Arc::clone(&inside)));
        }
    }
    tasks.join_all().await;
    for locks in processes {
        assert_eq!(locks.stats().await.expect("counts").losses, 0);
        locks.close().await;
    }
}

/// With a lock over the caller's own connection on the other side.
pub(crate) async fn lock_and_locks<E: Flavour>() {
    let (locks, key) = (locks(opts::<E>()), fresh_key("both"));
    let mut lock = Lock::new(conn::<E>().await, key.as_str()).expect("a key");
    let held = locks.lock(&key).await.expect("a lock");
    assert!(!lock.acquire(Wait::No).await.expect("an answer"));
    held.release().await.expect("a release");
    assert!(lock.acquire(Wait::No).await.expect("an answer"));
    assert!(locks.try_lock(&key).await.expect("an answer").is_none());
    for limit in [20, 200, 1500] {
        let begun = Instant::now();
        let refused = locks.lock_within(&key, ms(limit)).await;
        assert!(matches!(refused, Err(Error::TimedOut { .. })), "{refused:?}");
        let took = begun.elapsed();
        assert!(took >= ms(limit) && took < ms(limit) + BUSY, "{limit}: {took:?}");
    }
    let waits = tokio::spawn({
        let (locks, key) = (locks.clone(), key.clone());
        async move { locks.lock(&key).await.map(drop) }
    });
    until_awaited(&mut conn::<E>().await, &key).await;
    lock.release().await.expect("a release");
    waits.await.expect("no panic").expect("a lock");
}

/// The server's queue hands over: nobody waits for a poll to come round.
pub(crate) async fn hand_over<E: Flavour>() {
    let ([one, other], key) = ([locks(opts::<E>()), locks(opts::<E>())], fresh_key("over"));
    let (mut observer, mut times) = (conn::<E>().await, Vec::new());
    for _ in 0..15 {
        let held = one.lock(&key).await.expect("a lock");
        let next = tokio::spawn({
            let (other, key) = (other.clone(), key.clone());
            async move {
                let held = other.lock(&key).await.expect("a lock");
                let granted = Instant::now();
                held.release().await.expect("a release");
                granted
            }
        });
        until_awaited(&mut observer, &key).await;
        let released = Instant::now();
        held.release().await.expect("a release");
        times.push(next.await.expect("no panic") - released);
    }
    times.sort();
    println!("handed over after {:?} in the median, {:?} at worst", times[7], times[14]);
    assert!(times[7] < ms(100), "{times:?}");
}

/// A thousand keys, on as many sessions as it takes to hold them: one.
pub(crate) async fn many_keys<E: Flavour>() {
    let (locks, key) = (locks(opts::<E>()), fresh_key("many"));
    let mut tasks = JoinSet::new();
    for number in 0..1000 {
        let (locks, key) = (locks.clone(), format!("{key} {number}"));
        tasks.spawn(async move { locks.lock(key).await.expect("a lock") });
    }
    let held = tasks.join_all().await;
    assert_eq!(locks.stats().await.expect("counts").sessions, 1);
    let mut observer = conn::<E>().await;
    for number in [0, 499, 999] {
        let mut lock = Lock::new(&mut observer, format!("{key} {number}")).expect("a key");
        assert!(!lock.acquire(Wait::No).await.expect("an answer"));
    }
    let mut releases = JoinSet::new();
    held.into_iter().for_each(|held| drop(releases.spawn(held.release())));
    for released in releases.join_all().await {
        released.expect("a release");
    }
    let mut lock = Lock::new(&mut observer, format!("{key} 499")).expect("a key");
    assert!(lock.acquire(Wait::No).await.expect("an answer"));
    lock.release().await.expect("a release");
}
