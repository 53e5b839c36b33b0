//! Promise: a wait is as long as was asked.

use crate::cases::fresh_key;
use crate::locks::bounds::{BUSY, in_time, median, ms, until_nothing};
use crate::locks::fixture::{Fixture, LocksOf};
use dlock_core::Wait;
use dlock_locks::Error;
use std::time::{Duration, Instant};

/// Five tries: none gives up too early, and the typical one is 50 ms late at most.
async fn exact<F: Fixture>(locks: &LocksOf<F>, key: &str, limit: Duration) {
    let (mut times, name) = (Vec::new(), F::key(key).to_string());
    for _ in 0..5 {
        let begun = Instant::now();
        let error = in_time(locks.lock_within(F::key(key), limit)).await.expect_err("it is held");
        times.push(begun.elapsed());
        assert!(matches!(&error, Error::TimedOut { key, .. } if *key == name), "{error:?}");
        assert!(error.to_string().contains(&name), "{error}");
    }
    let late = times.iter().map(|time| time.checked_sub(limit).expect("not before its time"));
    let late = Vec::from_iter(late);
    assert!(late.iter().all(|late| *late < BUSY + F::SLACK), "{limit:?}: late by {late:?}");
    assert!(median(late.clone()) < ms(50) + F::SLACK, "{limit:?}: late by {late:?}");
}

/// Held in another process, and held in the same one.
pub(in crate::locks) async fn bounded<F: Fixture>(fixture: F) {
    let [one, other] = fixture.processes();
    let keys = [fresh_key("bounded"), fresh_key("bounded")];
    let _held = [
        in_time(one.lock(F::key(&keys[0]))).await.expect("a lock"),
        in_time(one.lock(F::key(&keys[1]))).await.expect("a lock"),
    ];
    // The sessions are there, whose opening takes longer.
    in_time(other.lock_within(F::key(&keys[0]), ms(500))).await.expect_err("it is held");
    for limit in [ms(0), ms(1), ms(50), ms(300), ms(1500)] {
        tokio::join!(exact::<F>(&one, &keys[0], limit), exact::<F>(&other, &keys[1], limit));
    }
}

/// While another one waits for the same key for ever, who gives up earlier is told in time.
pub(in crate::locks) async fn bounded_behind_another<F: Fixture>(fixture: F) {
    let (key, [one, other]) = (fresh_key("behind"), fixture.processes());
    let held = in_time(one.lock(F::key(&key))).await.expect("a lock");
    let first = tokio::spawn({
        let (locks, key) = (other.clone(), key.clone());
        async move { locks.lock(F::key(&key)).await.map(drop) }
    });
    while other.stats().await.expect("counts").waiting == 0 {
        tokio::task::yield_now().await;
    }
    for limit in [ms(50), ms(300)] {
        exact::<F>(&other, &key, limit).await;
    }
    assert!(!first.is_finished());
    drop(held);
    in_time(first).await.expect("no panic").expect("a lock");
}

/// A try is answered at once, whoever waits.
pub(in crate::locks) async fn tries<F: Fixture>(fixture: F) {
    let (key, [one, other]) = (fresh_key("tries"), fixture.processes());
    let held = in_time(one.lock(F::key(&key))).await.expect("a lock");
    let waits = tokio::spawn({
        let (locks, key) = (other.clone(), key.clone());
        async move { locks.lock(F::key(&key)).await.map(drop) }
    });
    for locks in [&one, &other] {
        let mut times = Vec::new();
        for _ in 0..50 {
            let begun = Instant::now();
            assert!(in_time(locks.try_lock(F::key(&key))).await.expect("an answer").is_none());
            times.push(begun.elapsed());
            tokio::time::sleep(ms(5)).await;
        }
        let (typical, longest) = (median(times.clone()), times.into_iter().max());
        println!("a try took {typical:?} in the median, {longest:?} at most");
        assert!(typical < ms(20) && longest < Some(BUSY), "{typical:?} {longest:?}");
    }
    drop(held);
    in_time(waits).await.expect("no panic").expect("a lock");
    until_nothing(&fixture, &key).await;
    assert!(in_time(one.try_lock(F::key(&key))).await.expect("an answer").is_some());
}

/// Time-outs while the holder releases at that moment: who was told that it has the key has it, and who was
/// told that it has not leaves it free.
pub(in crate::locks) async fn races<F: Fixture>(fixture: F) {
    let (key, [one, other]) = (fresh_key("races"), fixture.processes());
    let mut granted = 0;
    for round in 0..400_u64 {
        let (from, to) = if round % 2 == 0 { (&one, &other) } else { (&other, &one) };
        let held = in_time(from.lock(F::key(&key))).await.expect("a lock");
        let limit = Duration::from_micros(1000 + round * 37 % 2000);
        let pause = Duration::from_micros(1000 + round * 53 % 2000);
        let wait = to.lock_within(F::key(&key), limit);
        let release = async {
            tokio::time::sleep(pause).await;
            held.release().await
        };
        let (answer, released) = in_time(async { tokio::join!(wait, release) }).await;
        released.expect("a release");
        match answer {
            Ok(held) => {
                granted += 1;
                assert_eq!(fixture.holders(&key).await, 1);
                in_time(held.release()).await.expect("a release");
            }
            Err(error) => assert!(matches!(error, Error::TimedOut { .. }), "{error:?}"),
        }
    }
    println!("of 400 waits that ran out at the moment of the release {granted} were granted");
    until_nothing(&fixture, &key).await;
}

/// For longer than any slice, by each way to say so.
pub(in crate::locks) async fn for_ever<F: Fixture>(fixture: F) {
    let (key, [one, other]) = (fresh_key("ever"), fixture.processes());
    let held = in_time(one.lock(F::key(&key))).await.expect("a lock");
    let mut waits = Vec::new();
    for wait in [Wait::Forever, Wait::For(Duration::MAX), Wait::For(Duration::from_secs(3600))] {
        let request = other.key(F::key(&key)).expect("a key");
        waits.push(tokio::spawn(async move { request.acquire(wait).await.map(drop) }));
    }
    tokio::time::sleep(ms(3500)).await;
    assert!(waits.iter().all(|wait| !wait.is_finished()));
    in_time(held.release()).await.expect("a release");
    for wait in waits {
        in_time(wait).await.expect("no panic").expect("a lock");
    }
}
