use futures_util::future::BoxFuture;
use std::future::{Future, poll_fn};
use std::mem;
use std::pin::{Pin, pin};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use tokio::time::timeout;
use tokio_postgres::Error;

/// How often the task looks whether exchanges go on. After two looks without one it takes over.
const LOOK: Duration = Duration::from_millis(20);

/// A connection that is driven by the future that waits for an answer, and by a task while none does.
///
/// So an answer need not hop from the task that reads it to the one that waits for it.
pub(crate) struct Drive(Mutex<Wheel>);

struct Wheel {
    /// `None` when it has ended.
    connection: Option<BoxFuture<'static, Result<(), Error>>>,
    turn: Turn,
    /// Wakes the task.
    task: Option<Waker>,
}

/// Whose turn it is to drive.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Turn {
    Task,
    Exchange,
    /// Nobody's: the last exchange is over, and the next one may be about to begin.
    Pause,
    /// The task has seen the pause.
    LongPause,
}

impl Drive {
    pub(crate) fn new(connection: BoxFuture<'static, Result<(), Error>>) -> Self {
        Self(Mutex::new(Wheel { connection: Some(connection), turn: Turn::Task, task: None }))
    }

    fn wheel(&self) -> MutexGuard<'_, Wheel> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Drives until the exchange is over. When it is dropped before, the task takes over.
    pub(crate) async fn attend<T>(&self, mut exchange: Pin<&mut impl Future<Output = T>>) -> T {
        let mut turn = Attendance::begin(self);
        let output = poll_fn(|context| {
            // The first poll sends; what the connection brings is there for the second.
            if let Poll::Ready(output) = exchange.as_mut().poll(context) {
                return Poll::Ready(output);
            }
            self.wheel().drive(context);
            exchange.as_mut().poll(context)
        })
        .await;
        turn.then = Turn::Pause;
        output
    }

    /// Has the task drive from now on: whoever waits for an answer does not.
    pub(crate) fn hand_over(&self) {
        self.give(Turn::Task);
    }

    fn give(&self, turn: Turn) {
        let mut wheel = self.wheel();
        let was = mem::replace(&mut wheel.turn, turn);
        let task = wheel.task.take_if(|_| (was == Turn::Task) != (turn == Turn::Task));
        drop(wheel);
        if let Some(task) = task {
            task.wake();
        }
    }

    /// The task: ends with the connection.
    pub(crate) async fn keep(&self) {
        while poll_fn(|context| self.poll_idle(context)).await {
            let mut back = pin!(poll_fn(|context| self.poll_back(context)));
            while timeout(LOOK, back.as_mut()).await.is_err() {
                self.look();
            }
        }
    }

    /// Drives until an exchange does (`true`), or the connection ends.
    fn poll_idle(&self, context: &mut Context<'_>) -> Poll<bool> {
        let mut wheel = self.wheel();
        if wheel.turn != Turn::Task {
            return Poll::Ready(true);
        }
        wheel.drive(context);
        if wheel.connection.is_none() {
            return Poll::Ready(false);
        }
        wheel.task = Some(context.waker().clone());
        Poll::Pending
    }

    /// Waits until it is the task's turn again.
    fn poll_back(&self, context: &mut Context<'_>) -> Poll<()> {
        let mut wheel = self.wheel();
        if wheel.turn == Turn::Task {
            return Poll::Ready(());
        }
        wheel.task = Some(context.waker().clone());
        Poll::Pending
    }

    fn look(&self) {
        let mut wheel = self.wheel();
        wheel.turn = match wheel.turn {
            Turn::Exchange => Turn::Exchange,
            Turn::Pause => Turn::LongPause,
            Turn::LongPause | Turn::Task => Turn::Task,
        };
    }
}

impl Wheel {
    fn drive(&mut self, context: &mut Context<'_>) {
        if let Some(connection) = &mut self.connection
            && connection.as_mut().poll(context).is_ready()
        {
            // Its error is told by the statement that meets it.
            self.connection = None;
        }
    }
}

/// An exchange under way.
struct Attendance<'a> {
    drive: &'a Drive,
    then: Turn,
}

impl<'a> Attendance<'a> {
    fn begin(drive: &'a Drive) -> Self {
        drive.give(Turn::Exchange);
        Self { drive, then: Turn::Task }
    }
}

impl Drop for Attendance<'_> {
    fn drop(&mut self) {
        self.drive.give(self.then);
    }
}

#[cfg(test)]
mod tests {
    use super::{Drive, LOOK, Turn};
    use std::future::poll_fn;
    use std::pin::pin;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
    use std::task::Poll;
    use tokio::task::yield_now;
    use tokio::time::sleep;

    /// A connection that counts how often it is driven, until it is told to end.
    #[derive(Default)]
    struct Wire {
        driven: AtomicU32,
        ended: AtomicBool,
    }

    impl Wire {
        fn drive(self: &Arc<Self>) -> Arc<Drive> {
            let wire = Arc::clone(self);
            Arc::new(Drive::new(Box::pin(poll_fn(move |_| {
                wire.driven.fetch_add(1, Ordering::Relaxed);
                if wire.ended.load(Ordering::Relaxed) { Poll::Ready(Ok(())) } else { Poll::Pending }
            }))))
        }

        fn driven(&self) -> u32 {
            self.driven.load(Ordering::Relaxed)
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_task_waits_for_a_pause_and_takes_over() {
        let wire = Arc::new(Wire::default());
        let drive = wire.drive();
        let task = Arc::clone(&drive);
        let task = tokio::spawn(async move { task.keep().await });
        yield_now().await;
        assert_eq!(wire.driven(), 1);
        for _ in 0..3 {
            drive.attend(pin!(yield_now())).await;
            sleep(LOOK / 2).await;
        }
        assert_ne!(drive.wheel().turn, Turn::Task);
        assert_eq!(wire.driven(), 4);
        sleep(LOOK * 3).await;
        assert_eq!((drive.wheel().turn, wire.driven()), (Turn::Task, 5));
        wire.ended.store(true, Ordering::Relaxed);
        drive.attend(pin!(yield_now())).await;
        task.await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn a_dropped_exchange_is_the_tasks_at_once() {
        let wire = Arc::new(Wire::default());
        let drive = wire.drive();
        let task = Arc::clone(&drive);
        tokio::spawn(async move { task.keep().await });
        yield_now().await;
        drop(
            tokio::time::timeout(LOOK / 2, drive.attend(pin!(std::future::pending::<()>()))).await,
        );
        let before = wire.driven();
        yield_now().await;
        assert_eq!((drive.wheel().turn, wire.driven()), (Turn::Task, before + 1));
    }
}
