use crate::{in_time, ms, processes};
use dlock_memory::{Locks, Mode};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;
use tokio::task::JoinSet;

/// One that holds a key, and how many do.
async fn work(locks: Locks, key: usize, inside: Arc<Vec<AtomicUsize>>) {
    let held = locks.lock(format!("key {key}")).await.expect("a lock");
    assert_eq!(inside[key].fetch_add(1, Ordering::SeqCst), 0, "key {key} is held twice");
    tokio::task::yield_now().await;
    inside[key].fetch_sub(1, Ordering::SeqCst);
    if key.is_multiple_of(2) {
        held.release().await.expect("a release");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_tasks_on_ten_keys_in_four_processes() {
    let (database, processes) = processes::<4>();
    let inside = Arc::new(Vec::from_iter((0..10).map(|_| AtomicUsize::new(0))));
    let mut tasks = JoinSet::new();
    for number in 0..1000 {
        let locks = processes[number % 4].clone();
        tasks.spawn(work(locks, number / 4 % 10, Arc::clone(&inside)));
    }
    in_time(tasks.join_all()).await;
    for locks in processes {
        in_time(locks.close()).await;
    }
    assert!((0..10).all(|key| database.holders(&format!("key {key}")) == 0));
}

#[tokio::test]
async fn a_hundred_keys_live_on_one_session() {
    let (database, [locks]) = processes();
    let mut all = Vec::new();
    for key in 0..100 {
        all.push(in_time(locks.lock(format!("key {key}"))).await.expect("a lock"));
    }
    let stats = locks.stats().await.expect("counts");
    assert_eq!((stats.sessions, stats.held, stats.keys), (1, 100, 100));
    assert!((0..100).all(|key| database.holders(&format!("key {key}")) == 1));
}

#[tokio::test]
async fn who_came_first_is_served_first() {
    let (_database, [locks]) = processes();
    let held = locks.lock("k").await.expect("a lock");
    let (sender, mut order) = tokio::sync::mpsc::unbounded_channel();
    let mut tasks = JoinSet::new();
    for number in 0..20 {
        let (waits, sender) = (locks.clone(), sender.clone());
        tasks.spawn(async move {
            let held = waits.lock("k").await.expect("a lock");
            sender.send(number).expect("somebody listens");
            held.release().await.expect("a release");
        });
        while locks.stats().await.expect("counts").waiting <= number {
            tokio::task::yield_now().await;
        }
    }
    held.release().await.expect("a release");
    in_time(tasks.join_all()).await;
    for number in 0..20 {
        assert_eq!(order.recv().await, Some(number));
    }
}

#[tokio::test]
async fn readers_share_and_writers_wait() {
    let (_database, [one, other]) = processes();
    let shared = |locks: &Locks| locks.key("k").expect("a key").shared();
    let first = in_time(shared(&one).lock()).await.expect("a lock");
    let second = in_time(shared(&other).lock()).await.expect("a lock");
    let third = in_time(shared(&one).try_lock()).await.expect("an answer").expect("a lock");
    assert_eq!(third.mode(), Mode::Shared);
    assert!(one.try_lock("k").await.expect("an answer").is_none());
    drop((first, third));
    let refused = other.lock_within("k", ms(50)).await;
    assert!(refused.is_err());
    second.release().await.expect("a release");
    drop(in_time(one.lock("k")).await.expect("a lock"));
}

/// A reader that stays does not keep others of its process out.
#[tokio::test]
async fn readers_join_one_that_stays() {
    let (_database, [locks]) = processes();
    let reader = locks.key("k").expect("a key").shared();
    let _stays = reader.lock().await.expect("a lock");
    for _ in 0..5 {
        tokio::time::sleep(ms(120)).await;
        let begun = Instant::now();
        in_time(reader.lock()).await.expect("a lock").release().await.expect("a release");
        assert!(begun.elapsed() < ms(90), "{:?}", begun.elapsed());
    }
}
