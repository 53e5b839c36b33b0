//! A clock that stands still until a test moves it. All threads of an execution are one thread of the system's.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::task::{Poll, Waker};
use std::time::Duration;

thread_local! {
    static NOW: Cell<Duration> = const { Cell::new(Duration::ZERO) };
    static TIMERS: RefCell<Vec<(Duration, Waker)>> = const { RefCell::new(Vec::new()) };
}

/// How late it is.
#[must_use]
pub fn now() -> Duration {
    super::point();
    NOW.get()
}

/// Begins an execution.
pub fn reset() {
    NOW.set(Duration::from_secs(1));
    TIMERS.take();
}

/// Lets time pass.
pub fn advance(by: Duration) {
    super::point();
    NOW.set(NOW.get() + by);
    let (due, left) = TIMERS.take().into_iter().partition(|(due, _)| *due <= NOW.get());
    TIMERS.set(left);
    let due: Vec<(Duration, Waker)> = due;
    due.into_iter().for_each(|(_, waker)| waker.wake());
}

/// Completes when so much time has passed.
pub async fn sleep(duration: Duration) {
    let due = NOW.get() + duration;
    poll_fn(|context| {
        super::point();
        if due <= NOW.get() {
            return Poll::Ready(());
        }
        TIMERS.with_borrow_mut(|timers| timers.push((due, context.waker().clone())));
        Poll::Pending
    })
    .await;
}
