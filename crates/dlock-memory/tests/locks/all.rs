use crate::{in_time, ms, processes, until};
use dlock_core::Wait;
use dlock_locks::Error;
use dlock_memory::{Database, Locks};
use std::time::Duration;
use tokio::task::JoinSet;

const KEYS: [&str; 3] = ["a", "b", "c"];

fn held(database: &Database, keys: &[&str]) -> usize {
    keys.iter().map(|key| database.holders(key)).sum()
}

#[tokio::test]
async fn all_free_keys_are_one_statement() {
    let (_database, [one]) = processes();
    drop(one.lock("first").await.expect("a session is open"));
    in_time(async { while one.stats().await.expect("counts").keys > 0 {} }).await;
    let before = one.stats().await.expect("counts").batches;
    let keys = (0..100).map(|key| format!("key {key}"));
    let held = in_time(one.lock_all(keys, Wait::Forever)).await.expect("all of them");
    assert_eq!(one.stats().await.expect("counts").batches, before + 1);
    assert_eq!(held.keys().count(), 100);
    in_time(held.release()).await.expect("a release");
}

#[tokio::test]
async fn each_key_counts_once() {
    let (database, [one]) = processes();
    let held = in_time(one.lock_all(["b", "a", "b", "a"], Wait::No)).await.expect("both");
    assert_eq!(Vec::from_iter(held.keys()), ["a", "b"]);
    drop(held);
    in_time(until(|| database.holders("a") + database.holders("b") == 0)).await;
    let none = one.lock_all([] as [&str; 0], Wait::No).await;
    assert!(matches!(none, Err(Error::NoKeys)));
}

/// Of several keys, all or none: whichever is held elsewhere, and whatever for.
#[tokio::test]
async fn promise_15_all_or_none() {
    let (database, [one, other]) = processes();
    for taken in KEYS {
        for locks in [&one, &other] {
            let kept = one.lock(taken).await.expect("a lock");
            for wait in [ms(0), ms(1), ms(30)] {
                let refused = in_time(locks.lock_all(KEYS, wait)).await.expect_err("one is held");
                assert!(
                    matches!(&refused, Error::TimedOut { key, .. } if key == taken),
                    "{refused:?}"
                );
                in_time(until(|| held(&database, &KEYS) == 1)).await;
            }
            kept.release().await.expect("a release");
            // A wait that ran out may be granted once more before the server forgets it.
            let all = in_time(locks.lock_all(KEYS, ms(5000))).await.expect("all of them");
            assert_eq!(held(&database, &KEYS), 3);
            all.release().await.expect("a release");
            assert_eq!(held(&database, &KEYS), 0);
        }
    }
}

/// What is behind the first key that was refused is let go while that one is waited for.
#[tokio::test]
async fn nothing_behind_the_one_that_is_waited_for_is_kept() {
    let (database, [one, other]) = processes();
    let kept = one.lock("b").await.expect("a lock");
    let waits = tokio::spawn(async move { other.lock_all(KEYS, Wait::Forever).await });
    in_time(until(|| database.waiters("b") == 1)).await;
    in_time(until(|| (database.holders("a"), database.holders("c")) == (1, 0))).await;
    drop(kept);
    let all = in_time(waits).await.expect("no panic").expect("all of them");
    assert_eq!((all.keys().count(), held(&database, &KEYS)), (3, 3));
}

#[tokio::test]
async fn a_dropped_call_for_several_leaves_nothing() {
    let (database, [one, other]) = processes();
    let kept = one.lock("b").await.expect("a lock");
    for round in 0..100 {
        let limit = Duration::from_micros(round * 61 % 4000);
        let all = tokio::time::timeout(limit, other.lock_all(KEYS, Wait::Forever)).await;
        all.expect_err("one is held");
    }
    in_time(until(|| held(&database, &KEYS) == 1 && database.waiters("b") == 0)).await;
    drop(kept);
}

#[tokio::test]
async fn any_of_them_lost_is_all_lost() {
    let (database, [one, other]) = processes();
    let kept = other.lock("c").await.expect("a lock");
    let waits = tokio::spawn(async move { one.lock_all(KEYS, Wait::Forever).await });
    in_time(until(|| database.waiters("c") == 1)).await;
    drop(kept);
    let all = in_time(waits).await.expect("no panic").expect("all of them");
    // It was waited for on a session of its own.
    database.kill("c");
    assert_eq!(in_time(all.lost()).await.key(), "c");
    assert!(all.is_lost() && all.cancelled().is_cancelled());
    assert!(matches!(in_time(all.release()).await, Err(Error::Lost(_))));
    in_time(until(|| held(&database, &KEYS) == 0)).await;
}

/// What was lost before the last key was granted is taken again.
#[tokio::test]
async fn a_loss_on_the_way_is_made_good() {
    let (database, [one, other]) = processes();
    let kept = other.lock("c").await.expect("a lock");
    let waits = tokio::spawn(async move { one.lock_all(KEYS, Wait::Forever).await });
    in_time(until(|| database.waiters("c") == 1)).await;
    database.kill("a");
    in_time(until(|| database.holders("a") == 0)).await;
    tokio::time::sleep(ms(20)).await;
    drop(kept);
    let all = in_time(waits).await.expect("no panic").expect("all of them");
    assert!(!all.is_lost() && held(&database, &KEYS) == 3);
}

#[tokio::test]
async fn several_may_be_shared() {
    let (_database, [one, other]) = processes();
    let first = one.all(KEYS).expect("keys").shared().lock().await.expect("all of them");
    let second = other.all(KEYS).expect("keys").shared().try_lock().await.expect("an answer");
    assert!(second.is_some());
    assert!(other.all(KEYS).expect("keys").try_lock().await.expect("an answer").is_none());
    drop((first, second));
}

/// Every order of the same keys, in four processes, and nobody hangs.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn promise_15_several_keys_never_deadlock_among_themselves() {
    let (database, locks): (_, [Locks; 4]) = processes();
    let mut tasks = JoinSet::new();
    for (process, locks) in locks.into_iter().enumerate() {
        for task in 0..4 {
            let locks = locks.clone();
            tasks.spawn(async move {
                let mut rng = fastrand::Rng::with_seed(process as u64 * 10 + task);
                for _ in 0..25 {
                    let mut keys = Vec::from_iter((0..8).map(|key| format!("key {key}")));
                    rng.shuffle(&mut keys);
                    keys.truncate(rng.usize(1..5));
                    let held = locks.lock_all(keys, Wait::Forever).await.expect("all of them");
                    tokio::task::yield_now().await;
                    assert!(!held.is_lost());
                    held.release().await.expect("a release");
                }
            });
        }
    }
    in_time(tasks.join_all()).await;
    assert_eq!((0..8).map(|key| database.holders(&format!("key {key}"))).sum::<usize>(), 0);
}
