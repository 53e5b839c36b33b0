//! Sessions that end, and servers that fall silent.

use crate::bench::{Bench, LEASE};
use dlock_locks::LostReason;
use std::time::{Duration, Instant};

/// What stays free of the deadlines of a machine that is busy.
const SLACK: Duration = Duration::from_millis(50);

/// The next ping tells, and all that the session held is lost.
async fn ended_while_held(name: &str, how: &str) {
    let bench = Bench::new(name);
    let locks = bench.locks();
    let (held, beside) = (locks.lock("k").await.unwrap(), locks.lock("beside").await.unwrap());
    assert_eq!(held.trusted_for(), None);
    bench.end_sessions(how, "k");
    let begun = Instant::now();
    let lost = held.lost().await;
    println!("{how}: told after {:?}", begun.elapsed());
    assert_eq!(lost.reason(), LostReason::SessionEnded);
    assert!(begun.elapsed() < LEASE / 3 + SLACK, "{:?}", begun.elapsed());
    assert!(beside.is_lost() && held.release().await.is_err());
    locks.lock("k").await.unwrap().release().await.unwrap();
}

pub(crate) async fn killed() {
    ended_while_held("killed", "kill").await;
}

pub(crate) async fn cut() {
    ended_while_held("cut", "disconnect").await;
}

/// What waits is asked for again over another session.
pub(crate) async fn killed_while_waiting() {
    let bench = Bench::new("killed while waiting");
    let [one, other] = [bench.locks(), bench.locks()];
    let held = one.lock("k").await.unwrap();
    let waits = tokio::spawn(async move { other.lock("k").await.map(drop) });
    bench.until("k", (1, 1)).await;
    let waiting = "select sid from v$lock where type = 'UL' and request > 0 and lmode = 0";
    let sid = bench.observer.query_row_as::<i64>(waiting, &[]).unwrap();
    let serial = "select serial# from v$session where sid = :1";
    let serial = bench.observer.query_row_as::<i64>(serial, &[&sid]).unwrap();
    bench.run(&format!("alter system kill session '{sid},{serial}' immediate"));
    bench.until("k", (1, 1)).await;
    held.release().await.unwrap();
    waits.await.unwrap().unwrap();
}

/// Told when the server has been silent for the lease; nothing is held after it speaks again.
pub(crate) async fn silent() {
    let bench = Bench::new("silent");
    let locks = bench.locks();
    let held = locks.lock("k").await.unwrap();
    bench.run("alter system set \"_standin_frozen\" = 'true'");
    let begun = Instant::now();
    assert_eq!(held.lost().await.reason(), LostReason::Silent);
    assert!(begun.elapsed() < LEASE + SLACK, "{:?}", begun.elapsed());
    assert_eq!(bench.seen("k"), (1, 0));
    bench.run("alter system set \"_standin_frozen\" = 'false'");
    bench.until("k", (0, 0)).await;
    locks.lock("k").await.unwrap().release().await.unwrap();
}

/// Calls that an administrator cancels, before they are done and after, say nothing: what they took is let go
/// of, and asked for again.
pub(crate) async fn interrupted() {
    for how in ["prompt", "late"] {
        let bench = Bench::new(&format!("interrupted {how}"));
        let [one, other] = [bench.locks(), bench.locks()];
        for round in 0..10 {
            let held = one.lock("k").await.unwrap();
            let waits = tokio::spawn({
                let other = other.clone();
                async move { other.lock("k").await.unwrap().release().await.unwrap() }
            });
            bench.until("k", (1, 1)).await;
            bench.run(&format!("alter system set \"_standin_interrupt\" = '{how}'"));
            tokio::time::sleep(Duration::from_millis(round)).await;
            held.release().await.unwrap();
            waits.await.unwrap();
            bench.until("k", (0, 0)).await;
        }
    }
}
