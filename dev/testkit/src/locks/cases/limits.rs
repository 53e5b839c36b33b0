//! Promise: what there is too much of is refused by name, and hurts nobody else.

use crate::cases::fresh_key;
use crate::locks::bounds::{in_time, ms, until, until_nothing};
use crate::locks::fixture::Fixture;
use dlock_locks::Error;
use std::fs;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

pub(in crate::locks) async fn keys<F: Fixture>(fixture: F) {
    let locks = fixture.builder().max_keys(2).build().expect("a thread");
    let keys = [(); 3].map(|()| fresh_key("keys"));
    let first = in_time(locks.lock(F::key(&keys[0]))).await.expect("a lock");
    let second = in_time(locks.lock(F::key(&keys[1]))).await.expect("a lock");
    let refused = in_time(locks.lock(F::key(&keys[2]))).await.expect_err("two are held");
    let name = F::key(&keys[2]).to_string();
    assert!(matches!(&refused, Error::TooManyKeys { key } if *key == name), "{refused:?}");
    assert!(refused.to_string().contains(&name), "{refused}");
    in_time(first.release()).await.expect("a release");
    drop(in_time(locks.lock(F::key(&keys[2]))).await.expect("a lock"));
    in_time(second.release()).await.expect("a release");
}

/// Far more keys at once than are allowed: so many are held, and the others are told at once.
pub(in crate::locks) async fn far_too_many_keys<F: Fixture>(fixture: F) {
    let locks = fixture.builder().max_keys(200).build().expect("a thread");
    let mut calls = JoinSet::new();
    let key = fresh_key("far");
    for number in 0..20_000 {
        let (locks, key) = (locks.clone(), F::key(&format!("{key} {number}")));
        calls.spawn(async move { locks.lock(key).await });
    }
    let answers = in_time(calls.join_all()).await;
    let (held, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
    assert_eq!(held.len(), 200);
    assert!(refused.iter().all(|it| matches!(it, Err(Error::TooManyKeys { .. }))));
    assert_eq!(locks.stats().await.expect("counts").held, 200);
    drop(held);
    until("all has gone", async || locks.stats().await.expect("counts").keys == 0).await;
}

/// A task that never releases keeps its key, and nothing else.
pub(in crate::locks) async fn a_task_that_never_releases<F: Fixture>(fixture: F) {
    let (key, [one, other]) = (fresh_key("never"), fixture.processes());
    let _never = in_time(one.lock(F::key(&key))).await.expect("a lock");
    for locks in [&one, &other] {
        let refused = in_time(locks.lock_within(F::key(&key), ms(200))).await;
        assert!(matches!(refused, Err(Error::TimedOut { .. })), "{refused:?}");
        let free = fresh_key("free");
        drop(in_time(locks.lock(F::key(&free))).await.expect("a lock"));
        until_nothing(&fixture, &free).await;
    }
}

/// What the process has, in bytes; `None` where it cannot be read.
fn resident() -> Option<usize> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    line.split_whitespace().nth(1)?.parse::<usize>().ok().map(|kib| kib * 1024)
}

/// Ten thousand waiters on one key are two sessions, and are all served.
pub(in crate::locks) async fn ten_thousand_waiters<F: Fixture>(fixture: F) {
    const WAITERS: usize = 10_000;
    let (key, [one, other]) = (fresh_key("ten thousand"), fixture.processes());
    let held = in_time(one.lock(F::key(&key))).await.expect("a lock");
    let (before, mut waits) = (resident(), JoinSet::new());
    for _ in 0..WAITERS {
        let (locks, key) = (other.clone(), F::key(&key));
        waits.spawn(async move { locks.lock(key).await.map(drop) });
    }
    until("all wait", async || other.stats().await.expect("counts").waiting == WAITERS).await;
    let each = before.zip(resident()).map(|(before, now)| now.saturating_sub(before) / WAITERS);
    println!("a waiter and its task take {each:?} bytes");
    let stats = other.stats().await.expect("counts");
    assert!(stats.sessions <= 2, "{stats:?}");
    let begun = Instant::now();
    in_time(held.release()).await.expect("a release");
    for answer in in_time(waits.join_all()).await {
        answer.expect("a lock");
    }
    let (served, all) = (begun.elapsed(), u32::try_from(WAITERS).expect("a small number"));
    println!("{WAITERS} waiters were served in {served:?}, one in {:?}", served / all);
    assert!(served < Duration::from_secs(30), "{served:?}");
}
