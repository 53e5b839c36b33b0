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

/// A connection that is driven by the futures that wait for an answer, and by a task while none does.
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
        let attendant = Attendant::new(&self.wakers);
        poll_fn(|context| {
            attendant.is_polled(context.waker());
            for _ in 0..ROUNDS {
                self.drive_if_ready();
                let output = exchange.as_mut().poll(context);
                if output.is_ready() {
                    return output;
                }
                if !self.wakers.is_ready() {
                    break;
                }
            }
            attendant.rests(context.waker());
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

    /// Leaves the connection to the task, whatever became of the last exchange.
    pub(crate) fn hand_over(&self) {
        self.wakers.attendants().clear();
        self.wakers.is_ready.store(true, Ordering::Release);
        self.wakers.task.wake();
    }

    fn connection(&self) -> MutexGuard<'_, Option<BoxFuture<'static, Result<(), Error>>>> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Polls the connection, where it can go on.
    fn drive_if_ready(&self) {
        if !self.wakers.is_ready() {
            return;
        }
        let mut place = self.connection();
        if !self.wakers.is_ready.swap(false, Ordering::AcqRel) {
            return;
        }
        let mut context = Context::from_waker(&self.of_connection);
        if let Some(connection) = place.as_mut()
            && connection.as_mut().poll(&mut context).is_ready()
        {
            // Its error is told by the statement that meets it.
            *place = None;
            // It may be an exchange that found out: then the task has to, too.
            self.wakers.task.wake();
        }
    }
}

/// Whom to wake when the connection can go on.
struct Wakers {
    /// The connection can go on.
    is_ready: AtomicBool,
    task: AtomicWaker,
    attendants: Mutex<Vec<Entry>>,
}

/// An exchange in flight.
struct Entry {
    id: usize,
    waker: Option<Waker>,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// It looks itself whether the connection can go on, before it comes to rest.
    Polled,
    Resting,
    /// It has not been polled since: nobody may poll it any more.
    Woken,
}

impl Default for Wakers {
    /// The connection was never polled.
    fn default() -> Self {
        let (is_ready, task) = (AtomicBool::new(true), AtomicWaker::new());
        Self { is_ready, task, attendants: Mutex::default() }
    }
}

impl Wakers {
    fn is_ready(&self) -> bool {
        self.is_ready.load(Ordering::Acquire)
    }

    fn attendants(&self) -> MutexGuard<'_, Vec<Entry>> {
        self.attendants.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wake for Wakers {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    /// Wakes the exchanges in flight. The task only where there is none, or one that does not react.
    fn wake_by_ref(self: &Arc<Self>) {
        self.is_ready.store(true, Ordering::Release);
        let mut attendants = self.attendants();
        let mut wakes_task = attendants.is_empty();
        for entry in attendants.iter_mut().filter(|entry| entry.state != State::Polled) {
            wakes_task |= entry.state == State::Woken;
            entry.state = State::Woken;
            if let Some(waker) = &entry.waker {
                waker.wake_by_ref();
            }
        }
        drop(attendants);
        if wakes_task {
            self.task.wake();
        }
    }
}

/// Keeps an exchange among those to wake, while it is in flight.
struct Attendant<'a> {
    wakers: &'a Wakers,
    id: usize,
}

impl<'a> Attendant<'a> {
    fn new(wakers: &'a Wakers) -> Self {
        let mut attendants = wakers.attendants();
        let id = attendants.last().map_or(0, |last| last.id + 1);
        attendants.push(Entry { id, waker: None, state: State::Polled });
        Self { wakers, id }
    }

    fn is_polled(&self, waker: &Waker) {
        self.set(State::Polled, waker);
    }

    /// A poll ends, in which the connection may have become ready once more.
    fn rests(&self, waker: &Waker) {
        self.set(State::Resting, waker);
        if self.wakers.is_ready() {
            waker.wake_by_ref();
        }
    }

    fn set(&self, state: State, waker: &Waker) {
        let mut attendants = self.wakers.attendants();
        if let Some(entry) = attendants.iter_mut().find(|entry| entry.id == self.id) {
            entry.state = state;
            match &mut entry.waker {
                Some(known) => known.clone_from(waker),
                none => *none = Some(waker.clone()),
            }
        }
    }
}

impl Drop for Attendant<'_> {
    fn drop(&mut self) {
        self.wakers.attendants().retain(|entry| entry.id != self.id);
        // What it was woken for, the task sees to.
        if self.wakers.is_ready() {
            self.wakers.task.wake();
        }
    }
}

#[cfg(test)]
mod tests;
