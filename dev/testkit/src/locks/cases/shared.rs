//! Promise: readers share, writers are alone, and neither keeps the other out for ever.

use crate::cases::fresh_key;
use crate::locks::bounds::{in_time, median, ms, until_nothing, until_waiting};
use crate::locks::fixture::{Fixture, LocksOf};
use crate::locks::inside::Inside;
use dlock_locks::{Driver, Mode, Request, SharedDriver};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

fn reader<F: Fixture<Driver: SharedDriver>>(locks: &LocksOf<F>, key: &str) -> Request<F::Driver> {
    locks.key(F::key(key)).expect("a key").shared()
}

pub(in crate::locks) async fn together<F: Fixture<Driver: SharedDriver>>(fixture: F) {
    let (key, [one, other]) = (fresh_key("together"), fixture.processes());
    let first = in_time(reader::<F>(&one, &key).lock()).await.expect("a lock");
    let second = in_time(reader::<F>(&other, &key).lock()).await.expect("a lock");
    let third = in_time(reader::<F>(&one, &key).try_lock()).await.expect("an answer");
    let third = third.expect("a lock");
    assert_eq!((third.mode(), fixture.holders(&key).await), (Mode::Shared, 2));
    drop((first, second, third));
    until_nothing(&fixture, &key).await;
}

pub(in crate::locks) async fn against_exclusive<F: Fixture<Driver: SharedDriver>>(fixture: F) {
    let (key, [one, other]) = (fresh_key("against"), fixture.processes());
    let reads = in_time(reader::<F>(&one, &key).lock()).await.expect("a lock");
    for locks in [&one, &other] {
        assert!(in_time(locks.try_lock(F::key(&key))).await.expect("an answer").is_none());
        in_time(locks.lock_within(F::key(&key), ms(50))).await.expect_err("a reader holds it");
    }
    in_time(reads.release()).await.expect("a release");
    let writes = in_time(one.lock(F::key(&key))).await.expect("a lock");
    for locks in [&one, &other] {
        let read = reader::<F>(locks, &key);
        assert!(in_time(read.try_lock()).await.expect("an answer").is_none());
        in_time(read.lock_within(ms(50))).await.expect_err("a writer holds it");
    }
    let read = reader::<F>(&other, &key);
    let (read, released) = in_time(async {
        tokio::join!(read.lock(), async {
            until_waiting(&fixture, &key).await;
            writes.release().await
        })
    })
    .await;
    released.expect("a release");
    drop(read.expect("a lock"));
    until_nothing(&fixture, &key).await;
}

/// Reads again and again, for so long each.
async fn reads<F: Fixture<Driver: SharedDriver>>(
    locks: LocksOf<F>,
    key: String,
    inside: Inside,
    hold: Duration,
    enough: Arc<AtomicBool>,
) {
    let request = reader::<F>(&locks, &key);
    while !enough.load(Ordering::Relaxed) {
        let held = request.lock().await.expect("a lock");
        let stay = inside.shared(0);
        tokio::time::sleep(hold).await;
        drop(stay);
        held.release().await.expect("a release");
    }
}

/// Readers of other processes that overlap, so that there always is one: a writer has its turns.
async fn writer_among_readers<F: Fixture<Driver: SharedDriver>>(
    fixture: &F,
    hold: Duration,
    is_among: bool,
) -> Duration {
    let (key, processes) = (fresh_key("writer"), fixture.processes::<3>());
    let (inside, enough, mut tasks) = (Inside::new(1), Arc::default(), JoinSet::new());
    for number in 0..6_usize {
        let (locks, key) = (processes[number % 2].clone(), key.clone());
        // Of different lengths, so that they do not come to end together.
        let hold = hold * (7 + u32::try_from(number).expect("a small number")) / 10;
        tasks.spawn(reads::<F>(locks, key, inside.clone(), hold, Arc::clone(&enough)));
        tokio::time::sleep(hold / 6).await;
    }
    let (mut times, writer) = (Vec::new(), if is_among { &processes[0] } else { &processes[2] });
    for _ in 0..3 {
        let begun = Instant::now();
        let held = in_time(writer.lock(F::key(&key))).await.expect("a lock");
        times.push(begun.elapsed());
        let stay = inside.alone(0);
        tokio::time::sleep(ms(5)).await;
        drop(stay);
        in_time(held.release()).await.expect("a release");
        tokio::time::sleep(hold).await;
    }
    enough.store(true, Ordering::Relaxed);
    in_time(tasks.join_all()).await;
    let longest = times.iter().max().copied().unwrap_or_default();
    println!(
        "among readers who hold for {hold:?} a writer waited {:?} in the median, {longest:?} at most",
        median(times)
    );
    longest
}

pub(in crate::locks) async fn writer_is_not_starved<F: Fixture<Driver: SharedDriver>>(fixture: F) {
    for (hold, is_among) in [(ms(60), false), (ms(60), true), (ms(300), false)] {
        let longest = writer_among_readers(&fixture, hold, is_among).await;
        assert!(longest < ms(5000) + hold * 2, "{longest:?}");
    }
}

/// Readers that hold for longer than one wait in the server's queue lasts, where that is not for very long.
pub(in crate::locks) async fn writer_among_long_readers<F: Fixture<Driver: SharedDriver>>(
    fixture: F,
) {
    let slice = <F::Driver as Driver>::slice(Duration::from_secs(3600));
    let hold = (slice + slice / 2).clamp(ms(1300), ms(7000));
    let longest = writer_among_readers(&fixture, hold, false).await;
    assert!(longest < ms(2500) + hold * 3, "{longest:?}");
}

/// A reader that stays does not keep others of its process out.
pub(in crate::locks) async fn joins<F: Fixture<Driver: SharedDriver>>(fixture: F) {
    let (key, [one, other], mut times) = (fresh_key("joins"), fixture.processes(), Vec::new());
    let stays = in_time(reader::<F>(&one, &key).lock()).await.expect("a lock");
    for round in 0..10 {
        tokio::time::sleep(ms(120)).await;
        let locks = if round % 2 == 0 { &one } else { &other };
        let begun = Instant::now();
        let held = in_time(reader::<F>(locks, &key).lock()).await.expect("a lock");
        times.push(begun.elapsed());
        in_time(held.release()).await.expect("a release");
    }
    assert!(median(times.clone()) < ms(50), "{times:?}");
    assert!(!stays.is_lost());
}
