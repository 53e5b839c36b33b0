//! Sessions that end, and servers that fall silent.

use crate::bench::Bench;
use dlock_core::{GRACE, Wait};
use dlock_oracle::Error;
use futures::future::join;
use std::time::{Duration, Instant};

async fn ended_while_held(name: &str, how: &str) {
    let bench = Bench::new(name);
    let mut lock = bench.lock("k");
    assert!(lock.acquire(Wait::No).await.unwrap());
    bench.end_sessions(how, "k");
    bench.until("k", (0, 0)).await;
    let answer = lock.release().await;
    assert!(matches!(answer, Err(Error::Lost(Some(_)))), "{answer:?}");
    assert!(matches!(lock.acquire(Wait::No).await, Err(Error::Closed)));
    lock.close().await.unwrap();
    assert!(lock.session().is_none());
    assert!(matches!(lock.into_session().await, Err(Error::Closed)));
    assert!(bench.lock("k").acquire(Wait::No).await.unwrap());
}

async fn ended_while_waiting(name: &str, how: &str) -> Error {
    let bench = Bench::new(name);
    let (mut holder, mut lock) = (bench.lock("k"), bench.lock("k"));
    assert!(holder.acquire(Wait::No).await.unwrap());
    let end = async {
        bench.until("k", (1, 1)).await;
        bench.end_sessions(how, "k");
    };
    let (answer, ()) = join(lock.acquire(Wait::Forever), end).await;
    assert!(!lock.is_locked());
    assert!(matches!(lock.acquire(Wait::No).await, Err(Error::Closed)));
    bench.until("k", (0, 0)).await;
    answer.expect_err("the session has ended")
}

pub(crate) async fn killed() {
    ended_while_held("killed", "kill").await;
}

pub(crate) async fn killed_while_waiting() {
    let error = ended_while_waiting("killed-waiting", "kill").await;
    assert!(matches!(error, Error::Interrupted(Some(_))), "{error:?}");
}

pub(crate) async fn cut() {
    ended_while_held("cut", "disconnect").await;
}

pub(crate) async fn cut_while_waiting() {
    let error = ended_while_waiting("cut-waiting", "disconnect").await;
    assert!(matches!(error, Error::Lost(Some(_))), "{error:?}");
}

/// A bounded wait on a server that says nothing returns, in doubt, and holds nothing afterwards.
pub(crate) async fn silent() {
    let bench = Bench::new("silent");
    let mut lock = bench.lock("k");
    bench.run("alter system set \"_standin_frozen\" = 'true'");
    let (limit, start) = (Duration::from_millis(100), Instant::now());
    let answer = lock.acquire(limit).await;
    assert!(matches!(answer, Err(Error::Interrupted(None))), "{answer:?}");
    assert!(start.elapsed() < limit + GRACE + Duration::from_millis(500));
    assert!(!lock.is_locked() && lock.session().is_none());
    bench.run("alter system set \"_standin_frozen\" = 'false'");
    lock.close().await.unwrap();
    assert_eq!(bench.seen("k"), (0, 0));
    assert!(lock.acquire(Wait::No).await.unwrap());
}

/// A guard tells of the end of its session, and a lock says so, before either is used again.
pub(crate) async fn told() {
    let bench = Bench::new("told");
    for how in ["kill", "disconnect"] {
        let mut lock = bench.lock("k");
        let mut guard = lock.lock().await.unwrap();
        bench.end_sessions(how, "k");
        let start = Instant::now();
        let lost = guard.lost().await;
        assert!(matches!(lost, Error::Lost(None)), "{lost:?}");
        assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
        drop(guard);
        lock.close().await.unwrap();
        assert!(!lock.is_locked() && lock.session().is_none());
        assert!(matches!(lock.acquire(Wait::No).await, Err(Error::Closed)));
    }
}
