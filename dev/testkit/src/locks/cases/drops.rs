//! Promise: what is dropped leaves nothing but its place.

use crate::cases::fresh_key;
use crate::locks::bounds::{in_time, ms, until, until_nothing, until_waiting};
use crate::locks::fixture::{Fixture, LocksOf};
use crate::polled::polled;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::thread;
use std::time::Duration;
use tokio::time::timeout;

/// Of a free key: after every number of polls, and at random times.
pub(in crate::locks) async fn free<F: Fixture>(fixture: F) {
    let (key, [one, other]) = (fresh_key("free"), fixture.processes());
    for round in 0..150_u32 {
        let polls = usize::try_from(round % 3).expect("a small number");
        drop(in_time(polled(one.lock(F::key(&key)), polls)).await);
        let limit = Duration::from_micros(u64::from(round) * 41 % 1500);
        drop(timeout(limit, one.lock(F::key(&key))).await);
        in_time(other.lock(F::key(&key))).await.expect("a lock").release().await.expect("released");
    }
    until_nothing(&fixture, &key).await;
}

/// Of a key that is held elsewhere: bounded and unbounded waits, and tries.
pub(in crate::locks) async fn held_elsewhere<F: Fixture>(fixture: F) {
    let (key, [one, other]) = (fresh_key("elsewhere"), fixture.processes());
    let held = in_time(one.lock(F::key(&key))).await.expect("a lock");
    for round in 0..200_u64 {
        let limit = Duration::from_micros(round * 37 % 4000);
        match round % 4 {
            0 => drop(timeout(limit, other.lock_within(F::key(&key), limit * 2)).await),
            1 => drop(timeout(limit, other.try_lock(F::key(&key))).await),
            2 => drop(in_time(polled(other.lock(F::key(&key)), 1)).await),
            _ => drop(timeout(limit, other.lock(F::key(&key))).await),
        }
    }
    until("the waits have gone", async || {
        let stats = other.stats().await.expect("counts");
        (stats.waiting, stats.keys, stats.sessions_waiting) == (0, 0, 0)
    })
    .await;
    until("the server has no waiter", async || fixture.waiters(&key).await == 0).await;
    assert!(!held.is_lost() && fixture.holders(&key).await == 1);
    in_time(held.release()).await.expect("a release");
    in_time(other.lock(F::key(&key))).await.expect("a lock").release().await.expect("a release");
}

/// Of a key that its holder lets go of at that moment, in the same process and in another.
pub(in crate::locks) async fn handed_over<F: Fixture>(fixture: F) {
    let (key, [one, other]) = (fresh_key("handed"), fixture.processes());
    for round in 0..300_u64 {
        let from = if round % 2 == 0 { &one } else { &other };
        let held = in_time(from.lock(F::key(&key))).await.expect("a lock");
        let wait = timeout(Duration::from_micros(round * 29 % 3000), other.lock(F::key(&key)));
        let release = async {
            tokio::time::sleep(Duration::from_micros(round * 61 % 3000)).await;
            match round % 3 {
                0 => drop(held),
                1 => drop(polled(held.release(), 1).await),
                _ => held.release().await.expect("a release"),
            }
        };
        let (granted, ()) = in_time(async { tokio::join!(wait, release) }).await;
        if let Ok(granted) = granted {
            assert!(!granted.expect("a lock").is_lost());
        }
    }
    until_nothing(&fixture, &key).await;
}

/// Of a key whose session is killed meanwhile.
pub(in crate::locks) async fn killed<F: Fixture>(fixture: F) {
    let (key, [one, other]) = (fresh_key("killed"), fixture.processes());
    for round in 0..30_u64 {
        let held = in_time(one.lock(F::key(&key))).await.expect("a lock");
        let wait = timeout(ms(round % 10), other.lock(F::key(&key)));
        let (granted, ()) = in_time(async { tokio::join!(wait, fixture.kill(&key)) }).await;
        drop(granted);
        in_time(held.lost()).await;
        drop(held);
    }
    until_nothing(&fixture, &key).await;
}

/// Who stands in the middle goes; the others have it in their order.
pub(in crate::locks) async fn a_place_in_the_queue<F: Fixture>(fixture: F) {
    let (key, locks) = (fresh_key("place"), fixture.process());
    let held = in_time(locks.lock(F::key(&key))).await.expect("a lock");
    let mut tasks = Vec::new();
    for number in 0..9 {
        let (waits, key) = (locks.clone(), key.clone());
        tasks.push(tokio::spawn(async move { waits.lock(F::key(&key)).await }));
        let counted = async || locks.stats().await.expect("counts").waiting == number + 1;
        until("one more waits", counted).await;
    }
    for task in tasks.iter().skip(1).step_by(2) {
        task.abort();
    }
    until("four have gone", async || locks.stats().await.expect("counts").waiting == 5).await;
    in_time(held.release()).await.expect("a release");
    for task in tasks.into_iter().step_by(2) {
        let held = in_time(task).await.expect("no panic").expect("a lock");
        in_time(held.release()).await.expect("a release");
    }
    until_nothing(&fixture, &key).await;
}

/// A release goes on, after every number of polls.
pub(in crate::locks) async fn releases<F: Fixture>(fixture: F) {
    let (key, [one, other]) = (fresh_key("releases"), fixture.processes());
    for round in 0..60 {
        let held = in_time(one.lock(F::key(&key))).await.expect("a lock");
        drop(in_time(polled(held.release(), round % 3)).await);
        in_time(other.lock(F::key(&key))).await.expect("a lock").release().await.expect("released");
    }
    until_nothing(&fixture, &key).await;
}

/// On a thread that knows no runtime, during a panic, and after the end of its runtime.
pub(in crate::locks) async fn anywhere<F: Fixture>(fixture: F) {
    let (key, locks) = (fresh_key("anywhere"), fixture.process());
    let held = in_time(locks.lock(F::key(&key))).await.expect("a lock");
    thread::spawn(move || drop(held)).join().expect("no panic");
    until_nothing(&fixture, &key).await;
    let held = in_time(locks.lock(F::key(&key))).await.expect("a lock");
    let panics = catch_unwind(AssertUnwindSafe(move || {
        let _held = held;
        resume_unwind(Box::new("on purpose"));
    }));
    assert!(panics.is_err());
    until_nothing(&fixture, &key).await;
    let (held, locks) = elsewhere::<F>(locks, key.clone());
    drop(held);
    until_nothing(&fixture, &key).await;
    in_time(locks.lock(F::key(&key))).await.expect("a lock").release().await.expect("a release");
}

/// Taken on a runtime that has ended.
fn elsewhere<F: Fixture>(
    locks: LocksOf<F>,
    key: String,
) -> (crate::locks::fixture::HeldOf<F>, LocksOf<F>) {
    let thread = thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let held = runtime.block_on(locks.lock(F::key(&key))).expect("a lock");
        (held, locks)
    });
    thread.join().expect("no panic")
}

/// Waits whose runtime ends are dropped with it.
pub(in crate::locks) async fn with_its_runtime<F: Fixture>(fixture: F) {
    let (key, [one, other]) = (fresh_key("runtime"), fixture.processes());
    let held = in_time(one.lock(F::key(&key))).await.expect("a lock");
    let (waits, name) = (other.clone(), key.clone());
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    for _ in 0..10 {
        let (waits, name) = (waits.clone(), name.clone());
        runtime.spawn(async move { waits.lock(F::key(&name)).await.map(drop) });
    }
    until_waiting(&fixture, &key).await;
    runtime.shutdown_background();
    until("the waits have gone", async || other.stats().await.expect("counts").waiting == 0).await;
    until("the server has no waiter", async || fixture.waiters(&key).await == 0).await;
    in_time(held.release()).await.expect("a release");
    until_nothing(&fixture, &key).await;
}
