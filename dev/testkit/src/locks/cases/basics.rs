//! Promise: a lock is taken, seen and given back.

use crate::cases::fresh_key;
use crate::locks::bounds::{LEASE, TRUST, in_time, ms, until_nothing};
use crate::locks::fixture::{Fixture, HeldOf, LocksOf};
use dlock_core::Wait;
use dlock_locks::{Error, Mode};

fn may_go_anywhere<T: Send + Sync + 'static>(_: &T) {}

pub(in crate::locks) async fn taken_and_given_back<F: Fixture>(fixture: F) {
    let (key, [one, other]) = (fresh_key("taken"), fixture.processes());
    let held = in_time(one.lock(F::key(&key))).await.expect("a lock");
    may_go_anywhere(&held);
    assert_eq!((held.key(), held.mode(), held.token()), (&F::key(&key), Mode::Exclusive, None));
    assert_eq!(fixture.holders(&key).await, 1);
    assert!(!held.is_lost() && !held.cancelled().is_cancelled());
    assert!(in_time(other.try_lock(F::key(&key))).await.expect("an answer").is_none());
    in_time(held.release()).await.expect("a release");
    assert_eq!(fixture.holders(&key).await, 0, "a release that was answered has let go");
    let held = in_time(other.try_lock(F::key(&key))).await.expect("an answer");
    drop(held.expect("a free key"));
    until_nothing(&fixture, &key).await;
}

/// Trust is no longer than the lease, and is told before a side effect.
pub(in crate::locks) async fn trust<F: Fixture>(fixture: F) {
    let (key, locks) = (fresh_key("trust"), fixture.process());
    let held = in_time(locks.lock(F::key(&key))).await.expect("a lock");
    assert_eq!(held.trusted_for().is_some(), F::HAS_LEASE, "{:?}", held.trusted_for());
    if let Some(left) = held.trusted_for() {
        assert!(left > ms(1500) && left <= TRUST, "{left:?}");
        held.must_have(ms(1500)).expect("trust for half of the lease");
        let refused = held.must_have(LEASE).expect_err("no trust for all of the lease");
        assert_eq!(refused.key(), held.key().to_string());
    }
    assert!(!held.is_lost(), "to ask is not to lose");
    fixture.kill(&key).await;
    in_time(held.lost()).await;
    held.must_have(ms(0)).expect_err("it is lost");
    assert_eq!(held.trusted_for(), Some(ms(0)));
}

/// For longer than the lease, while nothing else happens: pings keep it.
pub(in crate::locks) async fn kept<F: Fixture>(fixture: F) {
    let (keys, locks) = ([fresh_key("kept"), fresh_key("kept")], fixture.process());
    let first = in_time(locks.lock(F::key(&keys[0]))).await.expect("a lock");
    // One on a session that waited for it.
    let other = fixture.process();
    let theirs = in_time(other.lock(F::key(&keys[1]))).await.expect("a lock");
    let (second, released) = tokio::join!(locks.lock(F::key(&keys[1])), async {
        crate::locks::bounds::until_waiting(&fixture, &keys[1]).await;
        theirs.release().await
    });
    released.expect("a release");
    let second = second.expect("a lock");
    let both = async {
        for _ in 0..40 {
            tokio::time::sleep(ms(150)).await;
            for held in [&first, &second] {
                assert!(held.trusted_for() != Some(ms(0)) && !held.is_lost());
            }
        }
    };
    first.run_until_lost(both).await.expect("it is held");
    for held in [first, second] {
        in_time(held.release()).await.expect("a release");
    }
}

pub(in crate::locks) async fn scope<F: Fixture>(fixture: F) {
    let (key, locks) = (fresh_key("scope"), fixture.process());
    let name = in_time(
        locks.with(F::key(&key), Wait::No, async |held: &HeldOf<F>| held.key().to_string()),
    );
    assert_eq!(name.await.expect("a value"), F::key(&key).to_string());
    assert_eq!(fixture.holders(&key).await, 0);
    let held = in_time(locks.lock(F::key(&key))).await.expect("a lock");
    let refused = in_time(locks.with(F::key(&key), Wait::No, async |_| ())).await;
    assert!(matches!(refused, Err(Error::TimedOut { .. })), "{refused:?}");
    drop(held);
    let lost = in_time(locks.with(F::key(&key), Wait::Forever, async |held: &HeldOf<F>| {
        fixture.kill(&key).await;
        held.lost().await;
        std::future::pending::<()>().await;
    }));
    assert!(matches!(lost.await, Err(Error::Lost(_))));
}

/// Calls may be spawned.
pub(in crate::locks) async fn spawned<F: Fixture>(fixture: F) {
    let (key, locks) = (fresh_key("spawned"), fixture.process());
    let scope = async move |locks: LocksOf<F>, key: String| {
        locks.with(F::key(&key), Wait::Forever, async |held: &HeldOf<F>| held.is_lost()).await
    };
    let task = tokio::spawn({
        let (locks, key) = (locks.clone(), key.clone());
        async move { locks.lock_within(F::key(&key), ms(5000)).await.map(drop) }
    });
    in_time(task).await.expect("no panic").expect("a lock");
    assert!(!in_time(scope(locks, key)).await.expect("a value"));
}

pub(in crate::locks) async fn wrong_keys<F: Fixture>(fixture: F) {
    let locks = fixture.process();
    let errors = F::wrong_keys(&locks);
    assert!(!errors.is_empty(), "a server that takes every key has no such promise");
    assert!(errors.iter().all(|error| !error.to_string().is_empty()));
    assert_eq!(locks.stats().await.expect("counts").keys, 0);
}
