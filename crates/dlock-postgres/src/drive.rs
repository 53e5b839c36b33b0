use futures::future::BoxFuture;
use futures::task::AtomicWaker;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use tokio_postgres::Error;

/// How often one poll may go round: a question and its answer need two. Where tokio's budget for the
/// task is used up it says "go on" without end, and means: in the next poll.
const ROUNDS: u32 = 4;

/// A connection that is driven by the future that waits for an answer, and by a task while none does.
///
/// So an answer need not hop from the task that reads it to the one that waits for it.
pub(crate) struct Drive {
    /// `None` when it has ended.
    connection: Mutex<Option<BoxFuture<'static, Result<(), Error>>>>,
    wakers: Arc<Wakers>,
    /// What the connection wakes, whoever drives.
    of_connection: Waker,
}

impl Drive {
    pub(crate) fn new(connection: BoxFuture<'static, Result<(), Error>>) -> Self {
        let wakers = Arc::new(Wakers::default());
        let of_connection = Waker::from(Arc::clone(&wakers));
        Self { connection: Mutex::new(Some(connection)), wakers, of_connection }
    }

    /// Drives until the exchange is over. When it is dropped before, the task goes on.
    pub(crate) async fn attend<T>(&self, mut exchange: Pin<&mut impl Future<Output = T>>) -> T {
        let _hand_over = HandOver(&self.wakers);
        poll_fn(|context| {
            for _ in 0..ROUNDS {
                self.drive_if_ready();
                let output = exchange.as_mut().poll(context);
                if output.is_ready() {
                    return output;
                }
                self.wakers.attendant.register(context.waker());
                if !self.wakers.is_ready() {
                    return Poll::Pending;
                }
            }
            context.waker().wake_by_ref();
            Poll::Pending
        })
        .await
    }

    /// The task: ends with the connection.
    pub(crate) async fn keep(&self) {
        poll_fn(|context| {
            self.wakers.task.register(context.waker());
            self.drive_if_ready();
            if self.connection().is_none() { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }

    /// Has the task drive as well from now on: others speak over the connection too, and get no answer while
    /// an exchange that was woken for it is not polled.
    pub(crate) fn share(&self) {
        self.wakers.is_shared.store(true, Ordering::Release);
    }

    /// Leaves the connection to the task, whatever became of the last exchange.
    pub(crate) fn hand_over(&self) {
        self.wakers.is_ready.store(true, Ordering::Release);
        drop(HandOver(&self.wakers));
    }

    fn connection(&self) -> MutexGuard<'_, Option<BoxFuture<'static, Result<(), Error>>>> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Polls the connection, where it can go on.
    fn drive_if_ready(&self) {
        if !self.wakers.is_ready.swap(false, Ordering::AcqRel) {
            return;
        }
        let mut place = self.connection();
        let mut context = Context::from_waker(&self.of_connection);
        if let Some(connection) = place.as_mut()
            && connection.as_mut().poll(&mut context).is_ready()
        {
            // Its error is told by the statement that meets it. It may be an exchange that found out:
            // then the task has to, too.
            *place = None;
            self.wakers.task.wake();
        }
    }
}

/// Whom to wake when the connection can go on.
struct Wakers {
    is_ready: AtomicBool,
    is_shared: AtomicBool,
    task: AtomicWaker,
    /// The exchange in flight that was polled last, until it is woken: one that is not polled any more is
    /// woken once, and the task from then on.
    attendant: AtomicWaker,
}

impl Default for Wakers {
    /// The connection was never polled.
    fn default() -> Self {
        let (task, attendant) = (AtomicWaker::new(), AtomicWaker::new());
        Self { is_ready: AtomicBool::new(true), is_shared: AtomicBool::new(false), task, attendant }
    }
}

impl Wakers {
    fn is_ready(&self) -> bool {
        self.is_ready.load(Ordering::Acquire)
    }
}

impl Wake for Wakers {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.is_ready.store(true, Ordering::Release);
        let attendant = self.attendant.take();
        let is_attended = attendant.is_some() && !self.is_shared.load(Ordering::Acquire);
        attendant.into_iter().for_each(Waker::wake);
        if !is_attended {
            self.task.wake();
        }
    }
}

/// An exchange is over: what it was woken for, the task sees to.
struct HandOver<'a>(&'a Wakers);

impl Drop for HandOver<'_> {
    fn drop(&mut self) {
        drop(self.0.attendant.take());
        if self.0.is_ready() {
            self.0.task.wake();
        }
    }
}

#[cfg(test)]
mod tests;
