//! From one mode to another while held.

use crate::bench::{Bench, echo};
use dlock_core::Wait;
use dlock_oracle::Mode::{S, SS, X};
use dlock_oracle::{Error, Lock};
use futures::future::join;
use std::time::{Duration, Instant};

pub(crate) async fn up_and_down() {
    let bench = Bench::new("up-and-down");
    let (mut lock, mut other) = (bench.lock("k").shared(), bench.lock("k").with_mode(SS));
    assert!(matches!(lock.convert(X, Wait::No).await, Err(Error::NotLocked)));
    assert!(lock.acquire(Wait::No).await.unwrap());
    assert!(lock.convert(X, Wait::No).await.unwrap());
    assert_eq!(lock.mode(), X);
    assert!(!other.acquire(Wait::No).await.unwrap());
    assert!(lock.convert(S, Wait::Forever).await.unwrap());
    assert!(other.acquire(Wait::No).await.unwrap());
    other.release().await.unwrap();
    lock.release().await.unwrap();
    assert_eq!((bench.seen("k"), lock.mode()), ((0, 0), S));
}

pub(crate) async fn waits_and_times_out() {
    let bench = Bench::new("convert-waits");
    let (mut lock, mut other) = (bench.lock("k").shared(), bench.lock("k").shared());
    assert!(lock.acquire(Wait::No).await.unwrap() && other.acquire(Wait::No).await.unwrap());
    for limit in [Duration::ZERO, Duration::from_millis(50), Duration::from_millis(1300)] {
        let start = Instant::now();
        assert!(!lock.convert(X, limit).await.unwrap());
        let took = start.elapsed();
        assert!(
            took >= limit && took < limit + Duration::from_millis(120),
            "{took:?} of {limit:?}"
        );
        assert!(lock.is_locked() && lock.mode() == S);
    }
    let release = async {
        bench.until("k", (2, 1)).await;
        other.release().await.unwrap();
    };
    let (converted, ()) = join(lock.convert(X, Wait::Forever), release).await;
    assert!(converted.unwrap());
    lock.release().await.unwrap();
}

/// Two shared holders who both want to be alone.
pub(crate) async fn deadlock() {
    let bench = Bench::new("convert-deadlock");
    let (mut one, mut other) = (bench.lock("k").shared(), bench.lock("k").shared());
    assert!(one.acquire(Wait::No).await.unwrap() && other.acquire(Wait::No).await.unwrap());
    let convert = async |lock: &mut Lock| {
        let answer = lock.convert(X, Wait::Forever).await;
        if answer.is_err() {
            assert!(lock.is_locked() && lock.mode() == S, "the victim keeps what it had");
            lock.release().await.unwrap();
        }
        answer
    };
    let answers = join(convert(&mut one), convert(&mut other)).await;
    let victims =
        [&answers.0, &answers.1].map(|answer| matches!(answer, Err(Error::Deadlock(None))));
    assert!(victims[0] != victims[1], "{answers:?}");
    assert_eq!(bench.seen("k"), (1, 0));
}

pub(crate) async fn guards() {
    let bench = Bench::new("convert-guards");
    let mut lock = bench.lock("k").shared();
    let (guard, converted) = lock.lock().await.unwrap().convert(X, Wait::No).await.unwrap();
    assert!(converted && guard.mode() == X);
    guard.release().await.unwrap();
    let owned = lock.lock_owned().await.unwrap();
    let (mut owned, converted) = owned.convert(S, Wait::No).await.unwrap();
    assert!(converted && owned.mode() == S);
    echo(owned.session(), 5);
    drop(owned);
    bench.until("k", (0, 0)).await;
}

/// A conversion that is dropped lets go of the lock.
pub(crate) async fn dropped() {
    let bench = Bench::new("convert-dropped");
    let (mut lock, mut other) = (bench.lock("k").shared(), bench.lock("k").shared());
    assert!(lock.acquire(Wait::No).await.unwrap() && other.acquire(Wait::No).await.unwrap());
    let converting = lock.convert(X, Wait::Forever);
    tokio::time::timeout(Duration::from_millis(50), converting).await.expect_err("held elsewhere");
    assert!(!lock.is_locked());
    bench.until("k", (1, 0)).await;
    lock.close().await.unwrap();
    echo(lock.session().unwrap(), 6);
    assert_eq!(lock.mode(), S);
    assert!(lock.acquire(Wait::No).await.unwrap());
    other.release().await.unwrap();
}

pub(crate) async fn of_what_is_gone() {
    let bench = Bench::new("convert-gone");
    let mut lock = bench.lock("k").shared().release_on_commit();
    assert!(lock.acquire(Wait::No).await.unwrap());
    lock.session().unwrap().commit().unwrap();
    assert!(matches!(lock.convert(X, Wait::No).await, Err(Error::Lost(None))));
    assert!(!lock.is_locked());
    assert!(lock.acquire(Wait::No).await.unwrap());
}
