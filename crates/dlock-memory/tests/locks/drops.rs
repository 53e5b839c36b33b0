use crate::{in_time, ms, processes, until};
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

/// Polls at most so many times, and drops.
async fn polled<F: Future>(future: F, mut polls: usize) {
    let mut future = pin!(future);
    poll_fn(|context| {
        if polls == 0 {
            return Poll::Ready(());
        }
        polls -= 1;
        let answer = future.as_mut().poll(context).map(drop);
        if polls == 0 { Poll::Ready(()) } else { answer }
    })
    .await;
}

#[tokio::test]
async fn a_dropped_call_leaves_nothing() {
    let (database, [one, other]) = processes();
    for polls in 0..3 {
        for _ in 0..50 {
            polled(one.lock("k"), polls).await;
            let held = in_time(other.lock("k")).await.expect("a lock");
            // It is granted nothing, so that it is polled once at most.
            polled(one.lock("k"), polls.min(1)).await;
            polled(held.release(), polls).await;
        }
    }
    in_time(until(|| database.holders("k") + database.waiters("k") == 0)).await;
}

#[tokio::test]
async fn waits_dropped_at_random_leave_nothing() {
    let (database, [one, other]) = processes();
    let held = one.lock("k").await.expect("a lock");
    for round in 0..200 {
        let wait = other.lock("k");
        let limit = Duration::from_micros(round * 37 % 3000);
        let answer = tokio::time::timeout(limit, wait).await;
        assert!(answer.is_err());
    }
    in_time(until(|| database.waiters("k") == 0)).await;
    held.release().await.expect("a release");
    in_time(other.lock("k")).await.expect("a lock").release().await.expect("a release");
    assert_eq!(database.holders("k"), 0);
}

#[tokio::test]
async fn a_lock_dropped_anywhere_is_released() {
    let (database, [one, _other]) = processes();
    let held = one.lock("k").await.expect("a lock");
    std::thread::spawn(move || drop(held)).join().expect("no panic");
    in_time(until(|| database.holders("k") == 0)).await;
    let held = one.lock("k").await.expect("a lock");
    let panics = std::thread::spawn(move || {
        let _held = held;
        std::panic::resume_unwind(Box::new("on purpose"));
    });
    assert!(panics.join().is_err());
    in_time(until(|| database.holders("k") == 0)).await;
}

/// What is held outlives the factory; when all is dropped the sessions end.
#[tokio::test]
async fn locks_dropped_with_a_lock_alive() {
    let (database, [one]) = processes();
    let held = one.lock("k").await.expect("a lock");
    drop(one);
    tokio::time::sleep(ms(50)).await;
    assert!(!held.is_lost() && database.holders("k") == 1);
    drop(held);
    in_time(until(|| database.holders("k") == 0)).await;
}
