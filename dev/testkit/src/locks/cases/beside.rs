//! Promise: `Lock` and `Locks` on the same key exclude each other.

use crate::cases::fresh_key;
use crate::locks::bounds::{in_time, ms, until_nothing, until_waiting};
use crate::locks::fixture::LockFixture;
use crate::locks::inside::Inside;
use dlock_core::Wait;
use std::time::Duration;
use tokio::task::JoinSet;

pub(in crate::locks) async fn lock<F: LockFixture>(fixture: F) {
    let (key, locks) = (fresh_key("beside"), fixture.process());
    let mut lock = in_time(fixture.lock(&key)).await;
    let held = in_time(locks.lock(F::key(&key))).await.expect("a lock");
    assert!(!in_time(lock.acquire(Wait::No)).await.expect("an answer"));
    assert!(!in_time(lock.acquire(ms(50))).await.expect("an answer"));
    let (granted, released) = in_time(async {
        tokio::join!(lock.acquire(Duration::from_secs(30)), async {
            until_waiting(&fixture, &key).await;
            held.release().await
        })
    })
    .await;
    assert!(granted.expect("an answer"));
    released.expect("a release");
    assert!(in_time(locks.try_lock(F::key(&key))).await.expect("an answer").is_none());
    in_time(locks.lock_within(F::key(&key), ms(200))).await.expect_err("it is held");
    let (held, released) = in_time(async {
        tokio::join!(locks.lock(F::key(&key)), async {
            until_waiting(&fixture, &key).await;
            lock.release().await
        })
    })
    .await;
    released.expect("a release");
    drop(held.expect("a lock"));
    until_nothing(&fixture, &key).await;
}

/// Each of them again and again.
pub(in crate::locks) async fn contended<F: LockFixture>(fixture: F) {
    let (key, inside, mut tasks) = (fresh_key("contended"), Inside::new(1), JoinSet::new());
    for _ in 0..4 {
        let (inside, locks, key) = (inside.clone(), fixture.process(), key.clone());
        tasks.spawn(async move {
            for _ in 0..20 {
                let held = locks.lock(F::key(&key)).await.expect("a lock");
                drop(inside.alone(0));
                held.release().await.expect("a release");
            }
        });
    }
    for _ in 0..4 {
        let (inside, mut lock) = (inside.clone(), in_time(fixture.lock(&key)).await);
        tasks.spawn(async move {
            for _ in 0..20 {
                assert!(lock.acquire(Wait::Forever).await.expect("an answer"));
                drop(inside.alone(0));
                lock.release().await.expect("a release");
            }
        });
    }
    in_time(tasks.join_all()).await;
    until_nothing(&fixture, &key).await;
}
