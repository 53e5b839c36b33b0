//! Futures dropped at each poll: abandoned once, in doubt, settled by whatever comes next.

use crate::scripted::{Answer, Control, Fault, Scripted};
use Answer::{Driver, Ends, Says};
use dlock_core::{Error, Lock, Wait};
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

const PAUSES: u32 = 3;

/// Polls a future so many times, and drops it.
async fn dropped_after<F: Future>(polls: u32, future: F) -> bool {
    let mut future = pin!(future);
    for _ in 0..polls {
        if poll_fn(|context| Poll::Ready(future.as_mut().poll(context).is_ready())).await {
            return false;
        }
    }
    true
}

/// Each call of a lock in this state, dropped after each number of polls.
async fn each_poll(locked: bool, call: impl AsyncFn(&mut Lock<Scripted>)) {
    for polls in 1..=PAUSES {
        let (control, mut lock) =
            if locked { Control::locked(&[]).await } else { Control::lock(&[]) };
        control.script().answers.push_back(Says(true));
        control.script().pauses = PAUSES;
        assert!(dropped_after(polls, call(&mut lock)).await);
        assert_eq!(control.script().abandoned, 1, "{polls}");
        assert_eq!(lock.to_string(), "in doubt on key key");
        assert!(!lock.is_locked() && lock.session().is_none());
        assert!(matches!(lock.release().await, Err(Error::NotLocked)));
        assert_eq!(control.script().settled, 1);
        assert_eq!(lock.session(), Some(&7));
        drop(lock);
        assert_eq!(control.script().abandoned, 1, "{polls}");
    }
}

#[tokio::test]
async fn each_call_is_abandoned_once() {
    each_poll(false, async |lock| drop(lock.acquire(Wait::No).await)).await;
    each_poll(false, async |lock| drop(lock.acquire(Wait::Forever).await)).await;
    each_poll(false, async |lock| drop(lock.lock().await)).await;
    each_poll(false, async |lock| drop(lock.with(Wait::No, async |_| ()).await)).await;
    each_poll(true, async |lock| drop(lock.release().await)).await;
    each_poll(true, async |lock| drop(lock.close().await)).await;
    each_poll(true, async |lock| drop(lock.upgrade(Wait::No).await)).await;
    each_poll(true, async |lock| drop(lock.convert("new", Wait::Forever).await)).await;
}

/// Whose waker is kept, is kept in memory: a lock may live on for long after a call was dropped.
#[tokio::test]
async fn a_dropped_call_leaves_no_waker_behind() {
    struct Nobody;
    impl Wake for Nobody {
        fn wake(self: Arc<Self>) {}
    }
    let nobody = Arc::new(Nobody);
    let day = Duration::from_secs(24 * 3600);
    let polled = |call: Pin<&mut dyn Future<Output = Result<bool, Error<Fault>>>>| {
        let waker = Waker::from(Arc::clone(&nobody));
        assert!(call.poll(&mut Context::from_waker(&waker)).is_pending());
    };
    let (_control, mut lock) = Control::lock(&[Answer::Silence]);
    polled(pin!(lock.acquire(day)));
    assert_eq!(Arc::strong_count(&nobody), 1);
    let (_control, mut lock) = Control::locked(&[Answer::Silence]).await;
    polled(pin!(lock.upgrade(day)));
    assert_eq!(Arc::strong_count(&nobody), 1);
    let (_control, mut lock) = Control::locked(&[Answer::Silence]).await;
    polled(pin!(lock.convert("new", day)));
    assert_eq!(Arc::strong_count(&nobody), 1);
}

#[tokio::test]
async fn a_future_that_was_never_polled_changes_nothing() {
    let (control, mut lock) = Control::locked(&[]).await;
    drop(lock.release());
    drop(lock.upgrade(Wait::No));
    assert!(lock.is_locked() && control.script().abandoned == 0);
}

/// A lock whose wait was dropped.
async fn in_doubt() -> (Control, Lock<Scripted>) {
    let (control, mut lock) = Control::lock(&[Says(true)]);
    control.script().pauses = 1;
    assert!(dropped_after(1, lock.acquire(Wait::Forever)).await);
    control.script().pauses = 0;
    (control, lock)
}

#[tokio::test]
async fn every_call_settles_first() {
    let (control, mut lock) = in_doubt().await;
    control.script().answers.push_back(Says(true));
    assert!(lock.acquire(Wait::No).await.unwrap());
    assert_eq!(control.script().settled, 1);
    let (control, mut lock) = in_doubt().await;
    lock.close().await.unwrap();
    lock.close().await.unwrap();
    assert_eq!(control.script().settled, 1);
    let (control, mut lock) = in_doubt().await;
    assert!(matches!(lock.upgrade(Wait::No).await, Err(Error::NotLocked)));
    assert_eq!(control.script().settled, 1);
}

#[tokio::test]
async fn a_settling_that_is_dropped_or_fails_is_asked_for_again() {
    let (control, mut lock) = in_doubt().await;
    assert!(dropped_after(1, lock.close()).await);
    assert_eq!(lock.to_string(), "in doubt on key key");
    control.script().settles.push_back(Driver);
    assert!(matches!(lock.close().await, Err(Error::Driver(_))));
    assert_eq!(lock.to_string(), "in doubt on key key");
    lock.close().await.unwrap();
    assert_eq!(lock.to_string(), "unlocked on key key");
    assert_eq!(control.script().abandoned, 1);
}

#[tokio::test]
async fn a_session_that_has_ended_is_closed_once_the_server_has_let_go() {
    let (control, mut lock) = in_doubt().await;
    control.script().settles.push_back(Ends);
    assert!(matches!(lock.close().await, Err(Error::Driver(_))));
    assert_eq!(lock.to_string(), "in doubt on key key");
    lock.close().await.unwrap();
    assert_eq!(lock.to_string(), "closed on key key");
    assert!(matches!(lock.acquire(Wait::No).await, Err(Error::Closed)));
}

#[tokio::test]
async fn a_dropped_lock_is_abandoned_once_if_locked() {
    let (control, lock) = Control::locked(&[]).await;
    drop(lock);
    assert_eq!(control.script().abandoned, 1);
    let (control, lock) = Control::lock(&[]);
    drop(lock);
    assert_eq!(control.script().abandoned, 0);
    let (control, lock) = in_doubt().await;
    drop(lock);
    assert_eq!(control.script().abandoned, 1);
}

#[tokio::test]
async fn an_owned_wait_that_is_dropped_is_abandoned_with_its_lock() {
    let (control, lock) = Control::lock(&[Says(true)]);
    control.script().pauses = 2;
    assert!(dropped_after(1, lock.lock_owned()).await);
    assert_eq!(control.script().abandoned, 1);
}
