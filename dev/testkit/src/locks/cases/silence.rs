//! Promise: whoever falls silent knows of the loss before another holds.

use super::network::by_link;
use crate::cases::fresh_key;
use crate::locks::bounds::{BUSY, TRUST, in_time, ms, until_waiting};
use crate::locks::fixture::{Fixture, HeldOf, LinkFixture, LocksOf};
use crate::locks::link::Link;
use dlock_locks::LostReason;
use std::sync::Arc;
use std::sync::Mutex;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// When a holder was told, and when it last worked.
struct Told {
    reason: LostReason,
    at: Instant,
    worked: Instant,
}

/// Works until it is lost, a moment at a time.
async fn work<F: Fixture>(held: HeldOf<F>) -> Told {
    let worked = Arc::new(Mutex::new(Instant::now()));
    let works = async {
        loop {
            *worked.lock().expect("no panic") = Instant::now();
            tokio::time::sleep(ms(1)).await;
        }
    };
    let lost: Result<(), _> = held.run_until_lost(works).await;
    let reason = lost.expect_err("it never ends").reason();
    let (at, worked) = (Instant::now(), *worked.lock().expect("no panic"));
    Told { reason, at, worked }
}

/// How late a holder was told of silence, and how long before another held.
pub(in crate::locks) struct Silent {
    pub(in crate::locks) told: Duration,
    pub(in crate::locks) margin: Duration,
}

/// One that falls silent after so long, beside another that waits.
pub(in crate::locks) async fn one<F: LinkFixture>(
    fixture: Arc<F>,
    other: LocksOf<F>,
    pause: Duration,
) -> Silent {
    let (key, (link, locks)) = (fresh_key("silent"), by_link(&*fixture));
    let held = in_time(locks.lock(F::key(&key))).await.expect("a lock");
    let waits = tokio::spawn({
        let (other, key) = (other.clone(), key.clone());
        async move { other.lock(F::key(&key)).await.map(|held| (held, Instant::now())) }
    });
    let works = tokio::spawn(work::<F>(held));
    tokio::time::sleep(pause).await;
    link.silence();
    let begun = Instant::now();
    let told = in_time(works).await.expect("no panic");
    assert_eq!(told.reason, LostReason::Silent);
    assert!(told.at - begun < TRUST + BUSY, "{:?}", told.at - begun);
    assert!(told.at >= told.worked);
    if !F::HAS_LEASE {
        link.cut();
    }
    let (next, granted) = in_time(waits).await.expect("no panic").expect("a lock");
    assert!(told.at < granted, "told {:?} after another held", told.at - granted);
    in_time(next.release()).await.expect("a release");
    Silent { told: told.at - begun, margin: granted - told.at }
}

/// At every moment between two pings.
pub(in crate::locks) async fn is_told_before_another_holds<F: LinkFixture>(fixture: F) {
    let (fixture, mut tries) = (Arc::new(fixture), JoinSet::new());
    let other = fixture.process();
    for number in 0..8 {
        tries.spawn(one(Arc::clone(&fixture), other.clone(), ms(300 + number * 130)));
    }
    let margins = in_time(tries.join_all()).await;
    let least = margins.into_iter().map(|silent| silent.margin).min();
    println!("told before another held by {least:?} at least");
}

/// A lock on a session that waited for it.
pub(in crate::locks) async fn of_a_lock_that_was_waited_for<F: LinkFixture>(fixture: F) {
    let (key, (link, locks), other) = (fresh_key("silent"), by_link(&fixture), fixture.process());
    let theirs = in_time(other.lock(F::key(&key))).await.expect("a lock");
    let (held, released) = in_time(async {
        tokio::join!(locks.lock(F::key(&key)), async {
            until_waiting(&fixture, &key).await;
            theirs.release().await
        })
    })
    .await;
    released.expect("a release");
    let works = tokio::spawn(work::<F>(held.expect("a lock")));
    tokio::time::sleep(ms(1200)).await;
    link.silence();
    let waits = async {
        let held = other.lock(F::key(&key)).await.expect("a lock");
        (held, Instant::now())
    };
    let told = async {
        let told = works.await.expect("no panic");
        if !F::HAS_LEASE {
            link.cut();
        }
        told
    };
    let ((next, granted), told) = in_time(async { tokio::join!(waits, told) }).await;
    assert!(told.at < granted && told.reason == LostReason::Silent);
    in_time(next.release()).await.expect("a release");
}
