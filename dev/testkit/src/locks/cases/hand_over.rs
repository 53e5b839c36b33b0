//! Promise: a key is handed over in the process and between processes, and stays in none for ever.

use crate::cases::fresh_key;
use crate::locks::bounds::{in_time, median, ms, until, until_waiting};
use crate::locks::fixture::{Fixture, LocksOf};
use crate::locks::inside::Inside;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::mpsc::unbounded_channel;
use tokio::task::JoinSet;

/// First in, first out, and without a round trip.
pub(in crate::locks) async fn in_the_process<F: Fixture>(fixture: F) {
    let locks = fixture.builder().stay(Duration::from_secs(60)).build().expect("a thread");
    let (key, (sender, mut order), mut tasks) =
        (fresh_key("order"), unbounded_channel(), JoinSet::new());
    let held = in_time(locks.lock(F::key(&key))).await.expect("a lock");
    for number in 0..100 {
        let (waits, key, sender) = (locks.clone(), key.clone(), sender.clone());
        tasks.spawn(async move {
            let held = waits.lock(F::key(&key)).await.expect("a lock");
            sender.send(number).expect("somebody listens");
            held.release().await.expect("a release");
        });
        let counted = async || locks.stats().await.expect("counts").waiting == number + 1;
        until("one more waits", counted).await;
    }
    let before = locks.stats().await.expect("counts");
    in_time(held.release()).await.expect("a release");
    in_time(tasks.join_all()).await;
    let after = locks.stats().await.expect("counts");
    assert!(after.batches <= before.batches + 1, "{before:?} {after:?}");
    assert_eq!(after.handed_over - before.handed_over, 100);
    for number in 0..100 {
        assert_eq!(order.try_recv(), Ok(number));
    }
}

/// A waiter elsewhere has the key as soon as it is let go.
pub(in crate::locks) async fn between_processes<F: Fixture>(fixture: F) {
    let (key, [one, other], mut times) = (fresh_key("over"), fixture.processes(), Vec::new());
    for round in 0..20 {
        let (from, to) = if round % 2 == 0 { (&one, &other) } else { (&other, &one) };
        let held = in_time(from.lock(F::key(&key))).await.expect("a lock");
        let wait = async {
            let held = to.lock(F::key(&key)).await.expect("a lock");
            (Instant::now(), held)
        };
        let release = async {
            until_waiting(&fixture, &key).await;
            let begun = Instant::now();
            held.release().await.expect("a release");
            begun
        };
        let ((granted, next), begun) = in_time(async { tokio::join!(wait, release) }).await;
        times.push(granted.saturating_duration_since(begun));
        in_time(next.release()).await.expect("a release");
    }
    let typical = median(times);
    println!("a hand-over between processes took {typical:?} in the median");
    assert!(typical < F::HAND_OVER, "{typical:?}");
}

/// Takes the key again and again, until it is enough.
async fn again<F: Fixture>(
    locks: LocksOf<F>,
    key: String,
    inside: Inside,
    enough: Arc<AtomicBool>,
) {
    while !enough.load(Ordering::Relaxed) {
        let held = locks.lock(F::key(&key)).await.expect("a lock");
        let stay = inside.alone(0);
        tokio::time::sleep(ms(1)).await;
        drop(stay);
        held.release().await.expect("a release");
    }
}

/// A process full of tasks that want the key lets others have it, again and again.
pub(in crate::locks) async fn its_limit<F: Fixture>(fixture: F) {
    let (key, [one, other]) = (fresh_key("limit"), fixture.processes());
    let (inside, enough, mut tasks) = (Inside::new(1), Arc::default(), JoinSet::new());
    for _ in 0..50 {
        let (inside, enough) = (inside.clone(), Arc::clone(&enough));
        tasks.spawn(again::<F>(one.clone(), key.clone(), inside, enough));
    }
    let mut times = Vec::new();
    for _ in 0..10 {
        let begun = Instant::now();
        let held = in_time(other.lock(F::key(&key))).await.expect("a lock");
        times.push(begun.elapsed());
        let stay = inside.alone(0);
        tokio::time::sleep(ms(1)).await;
        drop(stay);
        in_time(held.release()).await.expect("a release");
    }
    enough.store(true, Ordering::Relaxed);
    in_time(tasks.join_all()).await;
    let (typical, longest) = (median(times.clone()), times.into_iter().max());
    println!(
        "beside fifty tasks of one process another one had the key after {typical:?} in the median, {longest:?} at most"
    );
    assert!(typical < ms(1000) && longest < Some(Duration::from_secs(10)), "{longest:?}");
}

/// Four full processes: each has its share.
pub(in crate::locks) async fn shares<F: Fixture>(fixture: F) {
    let (key, processes) = (fresh_key("shares"), fixture.processes::<4>());
    let (inside, enough, mut tasks) = (Inside::new(1), Arc::default(), JoinSet::new());
    for number in 0..40 {
        let (inside, enough) = (inside.clone(), Arc::clone(&enough));
        tasks.spawn(again::<F>(processes[number % 4].clone(), key.clone(), inside, enough));
    }
    tokio::time::sleep(Duration::from_secs(8)).await;
    let mut granted = Vec::new();
    for locks in &processes {
        granted.push(locks.stats().await.expect("counts").granted);
    }
    enough.store(true, Ordering::Relaxed);
    in_time(tasks.join_all()).await;
    println!("four processes had the key so often in 8 s: {granted:?}");
    let mean = granted.iter().sum::<u64>() / 4;
    assert!(granted.iter().all(|count| count * 4 > mean), "{granted:?}");
}
