//! Promise: sessions that run out, on purpose, hang nobody.

use crate::cases::fresh_key;
use crate::locks::bounds::{BUSY, LEASE, in_time, ms, until, until_waiting};
use crate::locks::fixture::{Fixture, HeldOf, LocksOf};
use dlock_locks::Error;
use std::time::Instant;
use tokio::task::JoinSet;

fn with_one_waiter<F: Fixture>(fixture: &F) -> LocksOf<F> {
    fixture.builder().lease(LEASE).max_waiting(1).build().expect("a thread")
}

/// One session to wait on, twenty keys to wait for: a free one is had at once, and each of the others in
/// the end.
pub(in crate::locks) async fn every_one_waits<F: Fixture>(fixture: F) {
    let (one, other) = (fixture.process(), with_one_waiter(&fixture));
    let (mut holds, mut waits) = (Vec::new(), JoinSet::new());
    for _ in 0..20 {
        let key = fresh_key("waits");
        holds.push(in_time(one.lock(F::key(&key))).await.expect("a lock"));
        let locks = other.clone();
        waits.spawn(async move { locks.lock(F::key(&key)).await.map(drop) });
    }
    until("all but one have no session", async || {
        other.stats().await.expect("counts").parked >= 19
    })
    .await;
    let free = in_time(other.lock(F::key(&fresh_key("free")))).await.expect("a free key");
    let stats = other.stats().await.expect("counts");
    assert!(stats.sessions <= 2, "{stats:?}");
    // The youngest first.
    while let Some(held) = holds.pop() {
        in_time(held.release()).await.expect("a release");
    }
    for answer in in_time(waits.join_all()).await {
        answer.expect("a lock");
    }
    drop(free);
}

/// Two processes wait for what the other one holds: nobody sees it, and deadlines end it.
pub(in crate::locks) async fn crossed<F: Fixture>(fixture: F) {
    let (one, other) = (with_one_waiter(&fixture), with_one_waiter(&fixture));
    let (a, b) = (fresh_key("a"), fresh_key("b"));
    let first = in_time(one.lock(F::key(&a))).await.expect("a lock");
    let second = in_time(other.lock(F::key(&b))).await.expect("a lock");
    let begun = Instant::now();
    let (mine, theirs) = in_time(async {
        tokio::join!(one.lock_within(F::key(&b), ms(700)), other.lock_within(F::key(&a), ms(700)))
    })
    .await;
    assert!(matches!(mine, Err(Error::TimedOut { .. })), "{mine:?}");
    assert!(matches!(theirs, Err(Error::TimedOut { .. })), "{theirs:?}");
    assert!(begun.elapsed() < ms(700) + BUSY + F::SLACK, "{:?}", begun.elapsed());
    drop(first);
    in_time(other.lock(F::key(&a))).await.expect("a lock").release().await.expect("a release");
    in_time(second.release()).await.expect("a release");
}

/// Has a key that was waited for, so that a session holds it and no other.
async fn waited_for<F: Fixture>(fixture: &F, from: &LocksOf<F>, to: &LocksOf<F>) -> HeldOf<F> {
    let key = fresh_key("kept");
    let held = in_time(from.lock(F::key(&key))).await.expect("a lock");
    let (kept, released) = in_time(async {
        tokio::join!(to.lock(F::key(&key)), async {
            until_waiting(fixture, &key).await;
            held.release().await
        })
    })
    .await;
    released.expect("a release");
    kept.expect("a lock")
}

/// Every session that is allowed holds a key: who waits for one more is told so, and who asks for a free
/// one has it.
pub(in crate::locks) async fn every_one_holds<F: Fixture>(fixture: F) {
    let (one, other) = (fixture.process(), with_one_waiter(&fixture));
    let mut kept = Vec::new();
    for _ in 0..5 {
        kept.push(waited_for(&fixture, &one, &other).await);
        if other.stats().await.expect("counts").sessions > 4 {
            break;
        }
    }
    let key = fresh_key("one more");
    let held = in_time(one.lock(F::key(&key))).await.expect("a lock");
    let refused = in_time(other.lock(F::key(&key))).await.expect_err("no session is left");
    let name = F::key(&key).to_string();
    assert!(matches!(&refused, Error::TooManySessions { key } if *key == name), "{refused:?}");
    drop(in_time(other.lock(F::key(&fresh_key("free")))).await.expect("a free key"));
    assert!(kept.iter().all(|held| !held.is_lost()));
    drop(kept.pop());
    let (next, released) = in_time(async {
        tokio::join!(other.lock(F::key(&key)), async {
            until_waiting(&fixture, &key).await;
            held.release().await
        })
    })
    .await;
    released.expect("a release");
    drop(next.expect("a lock once a session is free"));
}
