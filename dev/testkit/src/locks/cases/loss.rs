//! Promise: one loss is told to all and only those of its session, at once.

use crate::cases::fresh_key;
use crate::locks::bounds::{BUSY, in_time, median, told_within, until_nothing, until_waiting};
use crate::locks::fixture::{Fixture, HeldOf, LocksOf};
use dlock_locks::{Error, LostReason};
use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

/// Has a key that was waited for, so that a session holds it and no other.
async fn waited_for<F: Fixture>(
    fixture: &F,
    from: &LocksOf<F>,
    to: &LocksOf<F>,
    key: &str,
) -> HeldOf<F> {
    let held = in_time(from.lock(F::key(key))).await.expect("a lock");
    let (kept, released) = in_time(async {
        tokio::join!(to.lock(F::key(key)), async {
            until_waiting(fixture, key).await;
            held.release().await
        })
    })
    .await;
    released.expect("a release");
    kept.expect("a lock")
}

/// The guards of the session that is killed, and no others; a release says so too.
pub(in crate::locks) async fn all_and_only<F: Fixture>(fixture: F) {
    let [one, other] = fixture.processes();
    let keys = [(); 4].map(|()| fresh_key("all"));
    let own = waited_for(&fixture, &other, &one, &keys[2]).await;
    let mut lost = Vec::new();
    for key in &keys[..2] {
        lost.push(in_time(one.lock(F::key(key))).await.expect("a lock"));
    }
    let theirs = in_time(other.lock(F::key(&keys[3]))).await.expect("a lock");
    fixture.kill(&keys[0]).await;
    for held in &lost {
        let why = in_time(held.lost()).await;
        assert_eq!((why.reason(), why.key()), (LostReason::SessionEnded, &*held.key().to_string()));
        assert!(held.is_lost() && held.cancelled().is_cancelled());
        held.must_have(BUSY).expect_err("it is lost");
    }
    assert!(!own.is_lost() && !theirs.is_lost());
    assert_eq!(one.stats().await.expect("counts").losses, 2);
    for held in lost {
        assert!(matches!(in_time(held.release()).await, Err(Error::Lost(_))));
    }
    for held in [own, theirs] {
        in_time(held.release()).await.expect("a release");
    }
    in_time(one.lock(F::key(&keys[0]))).await.expect("a new session").release().await.expect("ok");
}

pub(in crate::locks) async fn kill_is_told<F: Fixture>(fixture: F) {
    let (key, locks, mut times) = (fresh_key("kill"), fixture.process(), Vec::new());
    for _ in 0..5 {
        let held = in_time(locks.lock(F::key(&key))).await.expect("a lock");
        fixture.kill(&key).await;
        let begun = Instant::now();
        in_time(held.lost()).await;
        times.push(begun.elapsed());
    }
    let longest = times.iter().max().copied();
    let typical = median(times);
    println!("a kill was told after {typical:?} in the median, {longest:?} at most");
    assert!(typical < told_within::<F>() && longest < Some(told_within::<F>() + BUSY));
}

/// A release that meets a session which has just been killed never says that all was well when somebody
/// else may have the key, and never hangs.
pub(in crate::locks) async fn release_meets_kill<F: Fixture>(fixture: F) {
    let (key, [one, other]) = (fresh_key("meets"), fixture.processes());
    for _ in 0..20 {
        let held = in_time(one.lock(F::key(&key))).await.expect("a lock");
        let (released, ()) =
            in_time(async { tokio::join!(held.release(), fixture.kill(&key)) }).await;
        assert!(matches!(released, Ok(()) | Err(Error::Lost(_))), "{released:?}");
        in_time(other.lock(F::key(&key))).await.expect("a lock").release().await.ok();
    }
    until_nothing(&fixture, &key).await;
}

/// Who waits does not notice that a session ends, its own or the holder's.
pub(in crate::locks) async fn waits_outlast_kills<F: Fixture>(fixture: F) {
    let (key, [one, other]) = (fresh_key("outlast"), fixture.processes());
    let held = in_time(one.lock(F::key(&key))).await.expect("a lock");
    let wait = tokio::spawn({
        let (locks, key) = (other.clone(), key.clone());
        async move { locks.lock(F::key(&key)).await }
    });
    until_waiting(&fixture, &key).await;
    fixture.kill(&key).await;
    in_time(held.lost()).await;
    let next = in_time(wait).await.expect("no panic").expect("a lock");
    assert!(!next.is_lost());
    in_time(next.release()).await.expect("a release");
}

/// Says that it was dropped.
struct Tells(Arc<AtomicBool>);

impl Drop for Tells {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// The future is dropped when the lock is lost, and the call says why.
pub(in crate::locks) async fn work_is_dropped<F: Fixture>(fixture: F) {
    let (key, locks, dropped) = (fresh_key("work"), fixture.process(), Arc::default());
    let held = in_time(locks.lock(F::key(&key))).await.expect("a lock");
    let tells = Tells(Arc::clone(&dropped));
    let work = held.run_until_lost(async move {
        let _tells = tells;
        pending::<()>().await;
    });
    let (lost, ()) = in_time(async { tokio::join!(work, fixture.kill(&key)) }).await;
    assert_eq!(lost.expect_err("it was lost").reason(), LostReason::SessionEnded);
    assert!(dropped.load(Ordering::SeqCst));
    let begun = held.run_until_lost(async { panic!("a lost lock runs nothing") }).await;
    begun.expect_err("it is lost");
}
