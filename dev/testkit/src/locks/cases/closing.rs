//! Promise: the end of a factory lets go of everything, and who waits or holds is told.

use crate::cases::fresh_key;
use crate::locks::bounds::{in_time, ms, until_nothing, until_waiting};
use crate::locks::fixture::Fixture;
use dlock_locks::{Error, LostReason};

pub(in crate::locks) async fn close<F: Fixture>(fixture: F) {
    let (keys, [one, other]) = ([(); 3].map(|()| fresh_key("close")), fixture.processes());
    let mine = in_time(one.lock(F::key(&keys[0]))).await.expect("a lock");
    let theirs = in_time(other.lock(F::key(&keys[1]))).await.expect("a lock");
    let waits = [&keys[0], &keys[1]].map(|key| {
        let (locks, key) = (one.clone(), F::key(key));
        tokio::spawn(async move { locks.lock(key).await.map(drop) })
    });
    until_waiting(&fixture, &keys[1]).await;
    let request = one.key(F::key(&keys[2])).expect("a key");
    in_time(one.close()).await;
    for wait in waits {
        let refused = in_time(wait).await.expect("no panic");
        assert!(matches!(refused, Err(Error::Closed)), "{refused:?}");
    }
    assert_eq!(in_time(mine.lost()).await.reason(), LostReason::Closed);
    assert!(mine.cancelled().is_cancelled());
    until_nothing(&fixture, &keys[0]).await;
    assert!(matches!(in_time(one.lock(F::key(&keys[2]))).await, Err(Error::Closed)));
    assert!(matches!(in_time(one.try_lock(F::key(&keys[2]))).await, Err(Error::Closed)));
    assert!(matches!(in_time(request.lock_within(ms(100))).await, Err(Error::Closed)));
    assert!(matches!(in_time(mine.release()).await, Err(Error::Lost(_))));
    in_time(one.clone().close()).await;
    assert!(!theirs.is_lost());
    in_time(theirs.release()).await.expect("a release");
}

/// What is held outlives its factory, for longer than the lease; afterwards its sessions end.
pub(in crate::locks) async fn dropped_with_a_lock_alive<F: Fixture>(fixture: F) {
    let (keys, [one, other]) = ([(); 2].map(|()| fresh_key("alive")), fixture.processes());
    let first = in_time(one.lock(F::key(&keys[0]))).await.expect("a lock");
    let second = in_time(one.lock(F::key(&keys[1]))).await.expect("a lock");
    drop(one);
    tokio::time::sleep(ms(3600)).await;
    assert!(!first.is_lost() && !second.is_lost());
    assert!(in_time(other.try_lock(F::key(&keys[0]))).await.expect("an answer").is_none());
    in_time(first.release()).await.expect("a release");
    assert!(in_time(other.try_lock(F::key(&keys[0]))).await.expect("an answer").is_some());
    drop(second);
    until_nothing(&fixture, &keys[1]).await;
}

/// Waits of a factory that is dropped go on, since each has a handle of its own.
pub(in crate::locks) async fn dropped_with_a_wait_alive<F: Fixture>(fixture: F) {
    let (key, [one, other]) = (fresh_key("wait"), fixture.processes());
    let held = in_time(one.lock(F::key(&key))).await.expect("a lock");
    let wait = tokio::spawn({
        let key = key.clone();
        async move { other.lock(F::key(&key)).await }
    });
    until_waiting(&fixture, &key).await;
    in_time(held.release()).await.expect("a release");
    drop(in_time(wait).await.expect("no panic").expect("a lock"));
    until_nothing(&fixture, &key).await;
}

/// Nothing is left of a factory that is dropped while its calls are under way.
pub(in crate::locks) async fn dropped_with_everything<F: Fixture>(fixture: F) {
    let (key, keeper) = (fresh_key("everything"), fixture.process());
    let held = in_time(keeper.lock(F::key(&key))).await.expect("a lock");
    for round in 0..20_u64 {
        let locks = fixture.process();
        let wait = locks.lock(F::key(&key));
        assert!(tokio::time::timeout(ms(round * 7 % 60), wait).await.is_err());
    }
    in_time(held.release()).await.expect("a release");
    until_nothing(&fixture, &key).await;
}
