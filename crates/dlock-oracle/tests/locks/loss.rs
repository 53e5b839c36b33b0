//! Sessions that end, and servers that fall silent.

use crate::bench::{Bench, LEASE};
use dlock_locks::{Driver, LostReason};
use dlock_oracle::{Key, Server};
use dlock_testkit::trial::BUSY;
use futures::future::join_all;
use std::time::{Duration, Instant};

/// What stays free of the deadlines of a machine that is busy.
const SLACK: Duration = BUSY;

/// All that the session held is lost.
async fn ended_while_held(name: &str, how: &str, limit: Duration) {
    let bench = Bench::new(name);
    let locks = bench.locks();
    let (held, beside) = (
        locks.lock("ended while held k").await.unwrap(),
        locks.lock("ended while held beside").await.unwrap(),
    );
    assert_eq!(held.trusted_for(), None);
    bench.end_sessions(how, "ended while held k");
    let begun = Instant::now();
    let lost = held.lost().await;
    println!("{how}: told after {:?}", begun.elapsed());
    assert_eq!(lost.reason(), LostReason::SessionEnded);
    assert!(begun.elapsed() < limit + SLACK, "{:?}", begun.elapsed());
    assert!(beside.is_lost() && held.release().await.is_err());
    locks.lock("ended while held k").await.unwrap().release().await.unwrap();
}

/// The next ping tells, where the client library sees nothing before.
pub(crate) async fn killed() {
    ended_while_held("killed", "kill", LEASE / 3).await;
}

/// The client library sees that the connection is closed.
pub(crate) async fn cut() {
    ended_while_held("cut", "disconnect", SLACK).await;
}

/// What waits is asked for again over another session.
pub(crate) async fn killed_while_waiting() {
    let bench = Bench::new("killed while waiting");
    let [one, other] = [bench.locks(), bench.locks()];
    let held = one.lock("killed while waiting k").await.unwrap();
    let waits = tokio::spawn(async move { other.lock("killed while waiting k").await.map(drop) });
    bench.until("killed while waiting k", (1, 1)).await;
    let waiting = "select sid from v$lock where type = 'UL' and request > 0 and id1 = :1";
    let id = Key::from("killed while waiting k").id();
    let sid = bench.observer.query_row_as::<i64>(waiting, &[&id]).unwrap();
    let serial = "select serial# from v$session where sid = :1";
    let serial = bench.observer.query_row_as::<i64>(serial, &[&sid]).unwrap();
    bench.run(&format!("alter system kill session '{sid},{serial}' immediate"));
    bench.until("killed while waiting k", (1, 1)).await;
    held.release().await.unwrap();
    waits.await.unwrap().unwrap();
}

/// Told when the server has been silent for the lease; nothing is held after it speaks again.
pub(crate) async fn silent() {
    let bench = Bench::new("silent");
    let locks = bench.locks();
    let held = locks.lock("silent k").await.unwrap();
    bench.run("alter system set \"_standin_frozen\" = 'true'");
    let begun = Instant::now();
    assert_eq!(held.lost().await.reason(), LostReason::Silent);
    assert!(begun.elapsed() < LEASE + SLACK, "{:?}", begun.elapsed());
    assert_eq!(bench.seen("silent k"), (1, 0));
    bench.run("alter system set \"_standin_frozen\" = 'false'");
    bench.until("silent k", (0, 0)).await;
    locks.lock("silent k").await.unwrap().release().await.unwrap();
}

/// Calls that an administrator cancels, before they are done and after, say nothing: what they took is let go
/// of, and asked for again.
pub(crate) async fn interrupted() {
    for how in ["prompt", "late"] {
        let bench = Bench::new(&format!("interrupted {how}"));
        let [one, other] = [bench.locks(), bench.locks()];
        for round in 0..10 {
            let held = one.lock("interrupted k").await.unwrap();
            let waits = tokio::spawn({
                let other = other.clone();
                async move { other.lock("interrupted k").await.unwrap().release().await.unwrap() }
            });
            bench.until("interrupted k", (1, 1)).await;
            bench.run(&format!("alter system set \"_standin_interrupt\" = '{how}'"));
            tokio::time::sleep(Duration::from_millis(round)).await;
            held.release().await.unwrap();
            waits.await.unwrap();
            bench.until("interrupted k", (0, 0)).await;
        }
    }
}

/// Readers pass a turnstile in the same call: what an interruption left of it is let go of too.
pub(crate) async fn interrupted_readers() {
    for how in ["prompt", "late"] {
        let bench = Bench::new(&format!("interrupted readers {how}"));
        let locks = bench.locks();
        let keys = Vec::from_iter((0..50).map(|number| Key::from(format!("k{number}"))));
        let text = format!("alter system set \"_standin_interrupt\" = '{how}'");
        for _ in 0..50 {
            // Interrupted again and again, a call is told so.
            let taken =
                join_all(keys.iter().map(async |key| {
                    locks.key(key.clone()).unwrap().shared().lock().await.map(drop)
                }));
            let interrupts = async {
                for _ in 0..5 {
                    tokio::time::sleep(Duration::from_micros(300)).await;
                    bench.run(&text);
                }
            };
            tokio::join!(taken, interrupts);
        }
        for key in keys {
            let turnstile = Server::turnstile(&key).unwrap();
            bench.until(key, (0, 0)).await;
            bench.until(turnstile, (0, 0)).await;
        }
    }
}
