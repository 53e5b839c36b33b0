use crate::{in_time, ms, processes};
use dlock_core::Wait;
use dlock_locks::Error;
use dlock_memory::{Database, Held, Locks};
use std::time::Instant;

fn is_send_and_static<T: Send + Sync + 'static>(_: &T) {}

#[tokio::test]
async fn a_lock_is_taken_and_given_back() {
    let (database, [one, other]) = processes();
    let held = in_time(one.lock("k")).await.expect("a lock");
    is_send_and_static(&held);
    assert_eq!((held.key().as_str(), database.holders("k")), ("k", 1));
    assert!(!held.is_lost() && held.trusted_for() > Some(ms(1000)));
    held.must_have(ms(1000)).expect("a second");
    held.must_have(ms(3000)).expect_err("more than the lease");
    assert!(in_time(other.try_lock("k")).await.expect("an answer").is_none());
    in_time(held.release()).await.expect("a release");
    assert_eq!(database.holders("k"), 0);
    assert!(in_time(other.try_lock("k")).await.expect("an answer").is_some());
}

#[tokio::test]
async fn a_bounded_wait_runs_out_in_time() {
    let (_database, [one, other]) = processes();
    let _held = one.lock("k").await.expect("a lock");
    for locks in [one.clone(), other] {
        for limit in [ms(0), ms(1), ms(50), ms(300)] {
            let begun = Instant::now();
            let error = in_time(locks.lock_within("k", limit)).await.expect_err("it is held");
            assert!(matches!(&error, Error::TimedOut { key, .. } if key == "k"), "{error:?}");
            let waited = begun.elapsed();
            assert!(waited >= limit && waited < limit + ms(500), "{limit:?}: {waited:?}");
        }
    }
}

#[tokio::test]
async fn a_scope_releases() {
    let (database, [locks]) = processes();
    let value = locks.with("k", Wait::No, async |held: &Held| held.key().as_str().len()).await;
    assert_eq!((value.expect("a value"), database.holders("k")), (1, 0));
    let _held = locks.lock("k").await.expect("a lock");
    let refused = locks.with("k", Wait::No, async |_| ()).await;
    assert!(matches!(refused, Err(Error::TimedOut { .. })));
}

#[tokio::test]
async fn connecting_opens_one_session() {
    let locks = in_time(Database::new().builder().connect()).await.expect("a session");
    assert_eq!(locks.stats().await.expect("counts").sessions, 1);
}

/// A scope may be spawned.
#[tokio::test]
async fn a_scope_is_send() {
    let locks = Database::new().locks();
    let scope =
        async move { locks.with("k", Wait::Forever, async |held: &Held| held.trusted_for()).await };
    let spawned = in_time(tokio::spawn(scope)).await.expect("no panic");
    assert!(spawned.expect("a value").is_some());
}

#[tokio::test]
async fn closing_refuses_who_waits_and_tells_who_holds() {
    let (database, [locks]) = processes();
    let held = locks.lock("k").await.expect("a lock");
    let waits = tokio::spawn({
        let locks = locks.clone();
        async move { locks.lock("k").await.map(drop) }
    });
    while locks.stats().await.expect("counts").waiting == 0 {}
    in_time(locks.close()).await;
    assert!(matches!(in_time(waits).await.expect("no panic"), Err(Error::Closed)));
    assert_eq!((database.holders("k"), held.is_lost()), (0, true));
    assert!(matches!(locks.lock("k").await, Err(Error::Closed)));
    held.release().await.expect_err("it is lost");
}

#[tokio::test]
async fn no_more_keys_than_are_allowed() {
    let locks: Locks = Database::new().builder().max_keys(2).build().expect("a thread");
    let _held = (locks.lock("a").await.expect("a lock"), locks.lock("b").await.expect("a lock"));
    let refused = locks.lock("c").await.expect_err("two are held");
    assert!(matches!(&refused, Error::TooManyKeys { key } if key == "c"), "{refused:?}");
}

/// The caller's runtime may have no timers and stand still: the lock lives on.
#[test]
fn a_runtime_that_nobody_drives() {
    let (database, [one, other]) = processes();
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let held = runtime.block_on(one.lock("k")).expect("a lock");
    std::thread::sleep(ms(4000));
    assert!(!held.is_lost() && database.holders("k") == 1);
    drop((held, runtime));
    let again = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    drop(again.block_on(other.lock("k")).expect("a lock"));
}
