//! Promise: processes exclude each other, key by key.

use crate::cases::fresh_key;
use crate::locks::bounds::{in_time, median, ms, until_nothing, until_waiting};
use crate::locks::fixture::{Fixture, LocksOf};
use crate::locks::inside::Inside;
use std::time::Instant;
use tokio::task::JoinSet;

const SECTIONS: usize = 10;

/// Holds a key, and sees that it is alone.
async fn work<F: Fixture>(locks: LocksOf<F>, key: String, number: usize, inside: Inside) {
    let held = locks.lock(F::key(&key)).await.expect("a lock");
    let stay = inside.alone(number % SECTIONS);
    match number % 7 {
        0 => tokio::time::sleep(ms(1)).await,
        _ => tokio::task::yield_now().await,
    }
    drop(stay);
    match number % 3 {
        0 => drop(held),
        _ => held.release().await.expect("a release"),
    }
}

/// A thousand tasks on ten keys.
pub(in crate::locks) async fn thousand_tasks<F: Fixture, const N: usize>(fixture: F) {
    let processes = fixture.processes::<N>();
    let keys = Vec::from_iter((0..SECTIONS).map(|_| fresh_key("thousand")));
    let (inside, mut tasks) = (Inside::new(SECTIONS), JoinSet::new());
    for number in 0..1000 {
        let locks = processes[number / SECTIONS % N].clone();
        tasks.spawn(work::<F>(locks, keys[number % SECTIONS].clone(), number, inside.clone()));
    }
    in_time(tasks.join_all()).await;
    for key in &keys {
        until_nothing(&fixture, key).await;
    }
    for locks in processes {
        let stats = locks.stats().await.expect("counts");
        assert_eq!((stats.losses, stats.held, stats.waiting), (0, 0, 0), "{stats:?}");
    }
}

pub(in crate::locks) async fn hundred_keys<F: Fixture>(fixture: F) {
    let (locks, mut all) = (fixture.process(), Vec::new());
    let keys = Vec::from_iter((0..100).map(|_| fresh_key("hundred")));
    for key in &keys {
        all.push(in_time(locks.lock(F::key(key))).await.expect("a lock"));
    }
    let stats = locks.stats().await.expect("counts");
    assert_eq!((stats.sessions, stats.held, stats.keys), (1, 100, 100));
    for key in &keys {
        assert_eq!(fixture.holders(key).await, 1, "{key}");
    }
    for held in all {
        in_time(held.release()).await.expect("a release");
    }
}

/// A process that waits for twenty keys takes and releases others as if it did not.
pub(in crate::locks) async fn keys_do_not_hinder_each_other<F: Fixture>(fixture: F) {
    let ([one, other], mut holds, mut waits) = (fixture.processes(), Vec::new(), JoinSet::new());
    for _ in 0..20 {
        let key = fresh_key("hinder");
        holds.push(in_time(one.lock(F::key(&key))).await.expect("a lock"));
        let locks = other.clone();
        waits.spawn(async move { locks.lock(F::key(&key)).await.map(drop) });
    }
    while other.stats().await.expect("counts").waiting < 20 {
        tokio::task::yield_now().await;
    }
    let (free, mut times) = (fresh_key("free"), Vec::new());
    for _ in 0..100 {
        let begun = Instant::now();
        let held = in_time(other.lock(F::key(&free))).await.expect("a lock");
        in_time(held.release()).await.expect("a release");
        times.push(begun.elapsed());
    }
    let typical = median(times);
    println!("beside twenty waits: a lock and a release took {typical:?} in the median");
    assert!(typical < ms(50), "{typical:?}");
    drop(holds);
    for answer in in_time(waits.join_all()).await {
        answer.expect("a lock");
    }
}

/// A key that is let go while others are waited for goes at once.
pub(in crate::locks) async fn a_release_is_not_behind_a_wait<F: Fixture>(fixture: F) {
    let [one, other] = fixture.processes();
    let (wanted, held) = (fresh_key("wanted"), fresh_key("held"));
    let theirs = in_time(one.lock(F::key(&wanted))).await.expect("a lock");
    let mine = in_time(other.lock(F::key(&held))).await.expect("a lock");
    let wait = tokio::spawn({
        let (locks, wanted) = (other.clone(), wanted.clone());
        async move { locks.lock(F::key(&wanted)).await.map(drop) }
    });
    until_waiting(&fixture, &wanted).await;
    let begun = Instant::now();
    in_time(mine.release()).await.expect("a release");
    let taken = in_time(one.lock(F::key(&held))).await.expect("a lock");
    assert!(begun.elapsed() < ms(300), "{:?}", begun.elapsed());
    drop((taken, theirs));
    in_time(wait).await.expect("no panic").expect("a lock");
}
