//! Waits in slices, on a thread of the session's own.

use crate::bench::{Bench, echo};
use dlock_core::Wait;
use dlock_oracle::{Lock, Share};
use futures::future::join;
use oracle::Connection;
use std::sync::Arc;
use std::time::{Duration, Instant};

pub(crate) async fn longer_than_a_slice() {
    let bench = Bench::new("slices");
    let (mut holder, mut lock) = (bench.lock("k"), bench.lock("k"));
    assert!(holder.acquire(Wait::No).await.unwrap());
    let release = async {
        tokio::time::sleep(Duration::from_millis(6200)).await;
        assert_eq!(bench.seen("k"), (1, 1));
        holder.release().await.unwrap();
        Instant::now()
    };
    let wait = async {
        assert!(lock.acquire(Wait::Forever).await.unwrap());
        Instant::now()
    };
    let (released, granted) = join(release, wait).await;
    assert!(granted.duration_since(released) < Duration::from_secs(5));
    lock.release().await.unwrap();
}

pub(crate) async fn bounded_across_slices() {
    let bench = Bench::new("bounded");
    let (mut holder, mut lock) = (bench.lock("k"), bench.lock("k"));
    assert!(holder.acquire(Wait::No).await.unwrap());
    let (limit, start) = (Duration::from_millis(5300), Instant::now());
    assert!(!lock.acquire(limit).await.unwrap());
    let took = start.elapsed();
    assert!(took >= limit && took < limit + Duration::from_millis(120), "{took:?}");
}

/// A call time-out of the caller's does not cut a wait short, and is as it was afterwards.
pub(crate) async fn call_timeout_is_kept() {
    let bench = Bench::new("call-timeout");
    let (mut holder, mut lock) = (bench.lock("k"), bench.lock("k"));
    let usual = Some(Duration::from_millis(100));
    lock.session().unwrap().set_call_timeout(usual).unwrap();
    assert!(holder.acquire(Wait::No).await.unwrap());
    assert!(!lock.acquire(Duration::from_millis(1200)).await.unwrap());
    assert_eq!(lock.session().unwrap().call_timeout().unwrap(), usual);
    let wait = tokio::time::timeout(Duration::from_millis(300), lock.acquire(Wait::Forever)).await;
    assert!(wait.is_err());
    lock.close().await.unwrap();
    assert_eq!(lock.session().unwrap().call_timeout().unwrap(), usual);
}

/// While one lock waits, a release over the same session goes after one slice at most.
pub(crate) async fn others_go_on_after_a_slice() {
    let bench = Bench::new("turns");
    let session = bench.shared();
    let (mut holder, mut held) =
        (bench.lock("k"), Lock::new(Arc::clone(&session), "held").unwrap());
    let mut waiting = Lock::new(Arc::clone(&session), "k").unwrap();
    assert!(holder.acquire(Wait::No).await.unwrap() && held.acquire(Wait::No).await.unwrap());
    let release = async {
        bench.until("k", (1, 1)).await;
        let start = Instant::now();
        held.release().await.unwrap();
        assert!(start.elapsed() < Duration::from_millis(5500), "{:?}", start.elapsed());
        holder.release().await.unwrap();
    };
    let (granted, ()) = join(waiting.acquire(Wait::Forever), release).await;
    assert!(granted.unwrap());
}

/// How many round trips a session has made.
fn trips<'a>(bench: &'a Bench, connection: &Connection) -> impl Fn() -> u32 + use<'a> {
    let sid = "select to_number(sys_context('userenv', 'sid')) from dual";
    let sid = connection.query_row_as::<i64>(sid, &[]).unwrap();
    move || {
        let calls = "select standin_calls from v$session where sid = :1";
        bench.observer.query_row_as::<u32>(calls, &[&sid]).unwrap()
    }
}

async fn trips_over<S: Share>(bench: &Bench, session: S, contended: u32) {
    let mut lock = Lock::new(session, "k").unwrap();
    let trips = trips(bench, lock.session().unwrap());
    for wait in [Wait::No, Wait::For(Duration::from_millis(1500)), Wait::Forever] {
        let before = trips();
        assert!(lock.acquire(wait).await.unwrap());
        assert_eq!(trips() - before, 1, "{wait:?}");
        lock.release().await.unwrap();
        assert_eq!(trips() - before, 2, "{wait:?}");
    }
    let mut holder = bench.lock("k");
    assert!(holder.acquire(Wait::No).await.unwrap());
    for (wait, expected) in [(Wait::No, 1), (Wait::For(Duration::from_millis(1500)), contended)] {
        let before = trips();
        assert!(!lock.acquire(wait).await.unwrap());
        assert_eq!(trips() - before, expected, "{wait:?}");
    }
    holder.release().await.unwrap();
}

/// One to acquire, one to release; over a shared connection one more for a slice that waits.
pub(crate) async fn round_trips() {
    let bench = Bench::new("trips");
    trips_over(&bench, bench.connect(), 1).await;
    trips_over(&bench, bench.shared(), 2).await;
}

/// A runtime shuts down at once while a lock waits, and the wait is called off.
pub(crate) async fn runtime_shuts_down() {
    let bench = Bench::new("runtime");
    let mut holder = bench.lock("k");
    assert!(holder.acquire(Wait::No).await.unwrap());
    let mut lock = bench.lock("k");
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let runtime = runtime.unwrap();
    runtime.spawn(async move { lock.acquire(Wait::Forever).await });
    bench.until("k", (1, 1)).await;
    let took = tokio::task::spawn_blocking(move || {
        let start = Instant::now();
        drop(runtime);
        start.elapsed()
    });
    let took = took.await.unwrap();
    assert!(took < Duration::from_millis(200), "{took:?}");
    bench.until("k", (1, 0)).await;
    echo(holder.session().unwrap(), 8);
    holder.release().await.unwrap();
}
