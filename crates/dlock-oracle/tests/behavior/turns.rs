//! Several locks over one connection: who goes when, and whom a break meets.

use crate::bench::{Bench, echo, run};
use dlock_core::{GRACE, Wait};
use dlock_oracle::{Error, Lock};
use futures::future::{join, join_all, join3};
use oracle::Connection;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;

/// What does not wait for another lock's slice takes less, on a busy machine too.
const AT_ONCE: Duration = Duration::from_millis(700);

type Shared = Lock<Arc<Connection>>;

fn over(session: &Arc<Connection>, key: &str) -> Shared {
    Lock::new(Arc::clone(session), key).unwrap()
}

fn set_breaks(connection: &Connection, how: &str) {
    run(connection, &format!("alter session set \"_standin_break\" = '{how}'"));
}

async fn timed<T>(call: impl Future<Output = T>) -> (T, Duration) {
    let start = Instant::now();
    (call.await, start.elapsed())
}

/// A wait in a task; the lock comes with its answer.
type Waiting = JoinHandle<(Result<bool, Error>, Shared)>;

/// Two keys that others hold, and a wait for each over one session.
async fn two_waits(bench: &Bench, session: &Arc<Connection>) -> ([Lock; 2], [Waiting; 2]) {
    let mut holders = [bench.lock("w1"), bench.lock("w2")];
    for holder in &mut holders {
        assert!(holder.acquire(Wait::No).await.unwrap());
    }
    let waits = ["w1", "w2"].map(|key| {
        let mut lock = over(session, key);
        tokio::spawn(async move { (lock.acquire(Wait::Forever).await, lock) })
    });
    while bench.seen("w1").1 + bench.seen("w2").1 == 0 {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    (holders, waits)
}

/// Tries, releases, closes and drops go between the waits of others, never behind them.
pub(crate) async fn what_does_not_wait_goes_first() {
    let bench = Bench::new("turns-first");
    let session = bench.shared();
    let (mut held, mut dropped) = (over(&session, "held"), over(&session, "dropped"));
    assert!(held.acquire(Wait::No).await.unwrap() && dropped.acquire(Wait::No).await.unwrap());
    let (_holders, _waits) = two_waits(&bench, &session).await;
    let mut free = over(&session, "free");
    for wait in [Wait::No, Wait::For(Duration::from_secs(1)), Wait::Forever] {
        let (answer, took) = timed(free.acquire(wait)).await;
        assert!(answer.unwrap() && took < AT_ONCE, "{wait:?} took {took:?}");
        let (answer, took) = timed(free.close()).await;
        assert!(answer.is_ok() && took < AT_ONCE, "{answer:?} took {took:?}");
    }
    let (answer, took) = timed(held.release()).await;
    assert!(answer.is_ok() && took < AT_ONCE, "{answer:?} took {took:?}");
    drop(dropped);
    let took = bench.until("dropped", (0, 0)).await;
    assert!(took < AT_ONCE, "{took:?}");
}

/// A bounded wait ends at its time, whoever waits over the same session.
pub(crate) async fn bounds_are_kept() {
    let bench = Bench::new("turns-bounds");
    let session = bench.shared();
    let (holders, waits) = two_waits(&bench, &session).await;
    let mut other = bench.lock("k");
    assert!(other.acquire(Wait::No).await.unwrap());
    let (mut one, mut two, mut three) =
        (over(&session, "k"), over(&session, "w1"), over(&session, "w2"));
    let limits = [800, 1500, 6200].map(Duration::from_millis);
    let answers = join3(
        timed(one.acquire(limits[0])),
        timed(two.acquire(limits[1])),
        timed(three.acquire(limits[2])),
    )
    .await;
    for ((answer, took), limit) in [answers.0, answers.1, answers.2].into_iter().zip(limits) {
        assert!(!answer.unwrap());
        assert!(took >= limit && took < limit + AT_ONCE, "{took:?} of {limit:?}");
    }
    for (mut holder, wait) in holders.into_iter().zip(waits) {
        holder.release().await.unwrap();
        let (answer, mut lock) = wait.await.unwrap();
        assert!(answer.unwrap(), "it goes on");
        lock.release().await.unwrap();
    }
}

/// A wait is dropped while another stands behind it: that one gets its own answer, and the caller too.
async fn met_by_nobody_else(how: &str) {
    let bench = Bench::new(&format!("turns-break-{how}"));
    let session = bench.shared();
    set_breaks(&session, how);
    let (mut holder, mut free) = (bench.lock("k"), over(&session, "free"));
    assert!(holder.acquire(Wait::No).await.unwrap());
    for round in 0..3 {
        let mut lock = over(&session, "k");
        let wait = tokio::time::timeout(Duration::from_millis(300), lock.acquire(Wait::Forever));
        let beside = async {
            tokio::time::sleep(Duration::from_millis(150)).await;
            free.acquire(Wait::Forever).await
        };
        let (dropped, answer) = join(wait, beside).await;
        assert!(dropped.is_err() && answer.unwrap(), "{how}");
        lock.close().await.unwrap();
        echo(&session, round);
        free.release().await.unwrap();
        echo(&session, round);
        assert_eq!(bench.seen("k"), (1, 0), "{how}");
    }
}

pub(crate) async fn breaks_meet_nobody_else() {
    for how in ["prompt", "late", "stray"] {
        met_by_nobody_else(how).await;
    }
}

/// A wait that is broken off again and again for others' sake goes on, and gets what it waits for, also
/// where the break hid that it was granted.
async fn broken_off_and_granted(how: &str) {
    let bench = Bench::new(&format!("turns-granted-{how}"));
    let session = bench.shared();
    set_breaks(&session, how);
    let (mut holder, mut lock) = (bench.lock("k"), over(&session, "k"));
    let mut free = over(&session, "free");
    assert!(holder.acquire(Wait::No).await.unwrap());
    let beside = async {
        bench.until("k", (1, 1)).await;
        let trying = async {
            for _ in 0..5 {
                assert!(free.acquire(Wait::No).await.unwrap());
                free.release().await.unwrap();
            }
        };
        let letting_go = async {
            tokio::time::sleep(Duration::from_millis(1)).await;
            holder.release().await.unwrap();
        };
        join(trying, letting_go).await;
    };
    let (answer, ()) = join(lock.acquire(Wait::Forever), beside).await;
    assert!(answer.unwrap(), "{how}");
    assert_eq!((bench.seen("k"), bench.seen("free")), ((1, 0), (0, 0)), "{how}");
    echo(&session, 3);
    lock.release().await.unwrap();
    assert_eq!(bench.seen("k"), (0, 0), "{how}");
}

pub(crate) async fn broken_off_waits_go_on() {
    for how in ["prompt", "late"] {
        for _ in 0..5 {
            broken_off_and_granted(how).await;
        }
    }
}

/// A server that hears no break: one slice, and within the bound of every call.
pub(crate) async fn unheard_breaks_cost_a_slice() {
    let bench = Bench::new("turns-unheard");
    let session = bench.shared();
    let mut held = over(&session, "held");
    assert!(held.acquire(Wait::No).await.unwrap());
    set_breaks(&session, "ignored");
    let (_holders, _waits) = two_waits(&bench, &session).await;
    let (mut free, mut other) = (over(&session, "free"), over(&session, "other"));
    let calls = join3(
        timed(free.acquire(Wait::No)),
        timed(other.acquire(Duration::from_secs(1))),
        timed(held.release()),
    );
    let ((tried, first), (waited, second), (released, third)) = calls.await;
    assert!(tried.unwrap() && waited.unwrap(), "both keys were free");
    released.unwrap();
    let longest = first.max(second).max(third);
    assert!(longest < GRACE + Duration::from_millis(200), "{first:?} {second:?} {third:?}");
}

/// A call time-out that the caller sets while a lock waits stays as it was set.
pub(crate) async fn call_timeout_set_meanwhile() {
    let bench = Bench::new("turns-timeout");
    let session = bench.shared();
    let usual = |seconds| Some(Duration::from_secs(seconds));
    session.set_call_timeout(usual(1)).unwrap();
    let (mut holder, mut lock) = (bench.lock("k"), over(&session, "k"));
    assert!(holder.acquire(Wait::No).await.unwrap());
    let set = async {
        bench.until("k", (1, 1)).await;
        session.set_call_timeout(usual(60)).unwrap();
    };
    let (answer, ()) = join(lock.acquire(Duration::from_secs(2)), set).await;
    assert!(!answer.unwrap());
    assert_eq!(session.call_timeout().unwrap(), usual(60));
}

/// Re-entry over one session is refused while the other lock waits, too.
pub(crate) async fn one_key_twice() {
    let bench = Bench::new("turns-twice");
    let session = bench.shared();
    let (mut holder, mut one) = (bench.lock("k"), over(&session, "k"));
    let mut two = over(&session, "k");
    assert!(holder.acquire(Wait::No).await.unwrap());
    let beside = async {
        bench.until("k", (1, 1)).await;
        assert!(!two.acquire(Wait::No).await.unwrap());
        holder.release().await.unwrap();
    };
    let (answer, ()) = join(one.acquire(Wait::Forever), beside).await;
    assert!(answer.unwrap());
    assert!(matches!(two.acquire(Duration::from_secs(1)).await, Err(Error::AlreadyHeld)));
    assert_eq!(bench.seen("k"), (1, 0));
    one.release().await.unwrap();
    assert_eq!(bench.seen("k"), (0, 0));
}

/// How often each of the exclusive waiters had the key, over many slices and with holds longer than one.
pub(crate) async fn nobody_starves() {
    let bench = Bench::new("turns-fair");
    let end = Instant::now() + Duration::from_secs(24);
    let waiter = |number: u64| {
        let mut lock = bench.lock("k").slice(Duration::from_secs(1));
        async move {
            let mut sections = 0_u32;
            while Instant::now() < end {
                assert!(lock.acquire(Wait::Forever).await.unwrap());
                sections += 1;
                tokio::time::sleep(Duration::from_millis(700 + 150 * number)).await;
                lock.release().await.unwrap();
            }
            sections
        }
    };
    // Who comes first is left to chance: some thirty turns say only that everybody has some.
    let sections = join_all((0..4).map(waiter)).await;
    assert!(sections.iter().all(|section| *section > 0), "{sections:?}");
}

/// A writer among readers who hold longer than its slice gets its turn where it is set longer.
pub(crate) async fn writer_among_readers() {
    let bench = Bench::new("turns-writer");
    let stop = Arc::new(AtomicBool::new(false));
    let reader = |number: u64| {
        let (mut lock, stop) = (bench.lock("k").shared(), Arc::clone(&stop));
        async move {
            tokio::time::sleep(Duration::from_millis(500) * u32::try_from(number).unwrap()).await;
            while !stop.load(Ordering::SeqCst) {
                assert!(lock.acquire(Wait::Forever).await.unwrap());
                tokio::time::sleep(Duration::from_millis(1500)).await;
                lock.release().await.unwrap();
            }
        }
    };
    let readers = join_all((0..3).map(reader));
    let mut writer = bench.lock("k").slice(Duration::from_secs(3));
    let writing = async {
        bench.until("k", (2, 0)).await;
        let (answer, took) = timed(writer.acquire(Duration::from_secs(20))).await;
        stop.store(true, Ordering::SeqCst);
        assert!(answer.unwrap() && took < Duration::from_secs(5), "{took:?}");
        writer.release().await.unwrap();
    };
    join(readers, writing).await;
}
