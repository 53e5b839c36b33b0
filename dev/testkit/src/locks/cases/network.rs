//! Promise: a network that is slow, stalls or closes connections is told or borne.

use crate::cases::fresh_key;
use crate::locks::bounds::{
    BUSY, LEASE, TRUST, in_time, median, ms, told_within, until, until_nothing,
};
use crate::locks::fixture::{LinkFixture, LocksOf};
use crate::locks::link::Link;
use dlock_locks::{Error, LostReason};
use std::time::{Duration, Instant};
use tokio::time::timeout;

pub(in crate::locks) fn by_link<F: LinkFixture>(fixture: &F) -> (F::Link, LocksOf<F>) {
    let (link, builder) = fixture.link();
    (link, builder.lease(LEASE).build().expect("a thread"))
}

pub(in crate::locks) async fn cut_is_told<F: LinkFixture>(fixture: F) {
    let (key, (link, locks), mut times) = (fresh_key("cut"), by_link(&fixture), Vec::new());
    for _ in 0..5 {
        let held = in_time(locks.lock(F::key(&key))).await.expect("a lock");
        link.cut();
        let begun = Instant::now();
        assert_eq!(in_time(held.lost()).await.reason(), LostReason::SessionEnded);
        times.push(begun.elapsed());
        assert!(matches!(in_time(held.release()).await, Err(Error::Lost(_))));
    }
    let longest = times.iter().max().copied();
    let typical = median(times);
    println!("a closed connection was told after {typical:?} in the median, {longest:?} at most");
    assert!(typical < told_within::<F>() && longest < Some(told_within::<F>() + BUSY));
    until_nothing(&fixture, &key).await;
}

/// A round trip of almost half a second: everything takes longer and nothing is lost.
pub(in crate::locks) async fn slow<F: LinkFixture>(fixture: F) {
    let (key, (link, locks)) = (fresh_key("slow"), by_link(&fixture));
    in_time(locks.lock(F::key(&key))).await.expect("a lock").release().await.expect("a release");
    link.delay(ms(200));
    let held = in_time(locks.lock(F::key(&key))).await.expect("a lock");
    for round in 0..20_u64 {
        drop(timeout(ms(round * 31 % 200), locks.lock(F::key(&fresh_key("slow")))).await);
        drop(timeout(ms(round * 31 % 50), locks.try_lock(F::key(&key))).await);
    }
    held.run_until_lost(tokio::time::sleep(ms(4000))).await.expect("it is held");
    in_time(held.release()).await.expect("a release");
    until("all has gone", async || locks.stats().await.expect("counts").keys == 0).await;
    until_nothing(&fixture, &key).await;
}

/// An answer that takes longer than the time between two pings: what it grants is held, and is trusted.
pub(in crate::locks) async fn late_grants<F: LinkFixture>(fixture: F) {
    let (key, (link, locks)) = (fresh_key("late"), by_link(&fixture));
    in_time(locks.lock(F::key(&key))).await.expect("a lock").release().await.expect("a release");
    link.stall();
    let wait = tokio::spawn({
        let (locks, key) = (locks.clone(), key.clone());
        async move { locks.lock(F::key(&key)).await }
    });
    tokio::time::sleep(ms(1500)).await;
    link.resume();
    let held = in_time(wait).await.expect("no panic").expect("a lock");
    assert!(!held.is_lost() && held.trusted_for().is_none_or(|left| left > ms(1000)));
    assert_eq!(fixture.holders(&key).await, 1);
    in_time(held.release()).await.expect("a release");
}

/// A short stall is borne. A long one is told, and what arrives at its end keeps no key.
pub(in crate::locks) async fn stalls<F: LinkFixture>(fixture: F) {
    let (key, (link, locks), other) = (fresh_key("stall"), by_link(&fixture), fixture.process());
    let held = in_time(locks.lock(F::key(&key))).await.expect("a lock");
    link.stall();
    tokio::time::sleep(ms(1100)).await;
    link.resume();
    tokio::time::sleep(ms(500)).await;
    assert!(!held.is_lost());
    link.stall();
    let begun = Instant::now();
    let lost = in_time(held.lost()).await;
    assert_eq!(lost.reason(), LostReason::Silent);
    assert!(begun.elapsed() < TRUST + BUSY, "{:?}", begun.elapsed());
    link.resume();
    in_time(other.lock(F::key(&key))).await.expect("a lock").release().await.expect("a release");
    in_time(locks.lock(F::key(&key))).await.expect("a lock").release().await.expect("a release");
}

/// A bounded wait returns in time from a server that has gone silent, whatever it was doing, and all is
/// well once it speaks again.
pub(in crate::locks) async fn bounded_waits_on_silence<F: LinkFixture>(fixture: F) {
    let (key, (link, locks)) = (fresh_key("bounded"), by_link(&fixture));
    in_time(locks.lock(F::key(&key))).await.expect("a lock").release().await.expect("a release");
    link.silence();
    for limit in [ms(1), ms(300), ms(2000), ms(4000)] {
        let begun = Instant::now();
        let answer = in_time(locks.lock_within(F::key(&key), limit)).await;
        let late = begun.elapsed().checked_sub(limit).expect("not before its time");
        assert!(matches!(answer, Err(Error::TimedOut { .. })), "{answer:?}");
        assert!(late < BUSY, "{limit:?}: late by {late:?}");
    }
    bounded_waits_for_several::<F>(&locks).await;
    link.cut();
    link.resume();
    let begun = Instant::now();
    in_time(locks.lock(F::key(&key))).await.expect("a lock").release().await.expect("a release");
    assert!(begun.elapsed() < Duration::from_secs(15), "{:?}", begun.elapsed());
    until_nothing(&fixture, &key).await;
}

async fn bounded_waits_for_several<F: LinkFixture>(locks: &LocksOf<F>) {
    for limit in [ms(1), ms(300), ms(2000)] {
        let keys = [(); 2].map(|()| F::key(&fresh_key("several")));
        let begun = Instant::now();
        let answer = in_time(locks.lock_all(keys, limit)).await;
        let late = begun.elapsed().checked_sub(limit).expect("not before its time");
        assert!(matches!(answer, Err(Error::TimedOut { .. })), "{answer:?}");
        assert!(late < BUSY, "several in {limit:?}: late by {late:?}");
    }
}

/// A release on a silent connection is answered, and not by a lie.
pub(in crate::locks) async fn release_on_silence<F: LinkFixture>(fixture: F) {
    let (key, (link, locks)) = (fresh_key("release"), by_link(&fixture));
    let held = in_time(locks.lock(F::key(&key))).await.expect("a lock");
    link.silence();
    let begun = Instant::now();
    let released = in_time(held.release()).await;
    assert!(matches!(released, Err(Error::Lost(_))), "{released:?}");
    assert!(begun.elapsed() < TRUST + BUSY, "{:?}", begun.elapsed());
    let begun = Instant::now();
    in_time(locks.close()).await;
    assert!(begun.elapsed() < ms(5500), "{:?}", begun.elapsed());
}
