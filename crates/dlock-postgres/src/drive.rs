use futures::future::BoxFuture;
use futures::task::AtomicWaker;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::atomic::{AtomicU8, Ordering};
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
    bell: Arc<Bell>,
    /// What the connection wakes, whoever drives.
    of_connection: Waker,
    /// What an exchange wakes.
    of_exchange: Waker,
}

impl Drive {
    pub(crate) fn new(connection: BoxFuture<'static, Result<(), Error>>) -> Self {
        let bell = Arc::new(Bell::default());
        Self {
            connection: Mutex::new(Some(connection)),
            of_connection: Cord::waker(&bell, CONNECTION),
            of_exchange: Cord::waker(&bell, EXCHANGE),
            bell,
        }
    }

    /// Drives until the exchange is over. When it is dropped before, the task goes on.
    pub(crate) async fn attend<T>(&self, mut exchange: Pin<&mut impl Future<Output = T>>) -> T {
        let _attendance = Attendance::begin(&self.bell);
        poll_fn(|context| {
            self.bell.attend(context.waker());
            let mut inside = Context::from_waker(&self.of_exchange);
            for _ in 0..ROUNDS {
                if self.bell.take(CONNECTION | EXCHANGE) & CONNECTION != 0 {
                    self.drive();
                }
                let output = exchange.as_mut().poll(&mut inside);
                if output.is_ready() || self.bell.rest() {
                    return output;
                }
            }
            self.bell.pause(context.waker())
        })
        .await
    }

    /// The task: ends with the connection.
    pub(crate) async fn keep(&self) {
        poll_fn(|context| {
            self.bell.task.register(context.waker());
            if !self.bell.is_attended() && self.bell.take(CONNECTION) & CONNECTION != 0 {
                self.drive();
            }
            if self.connection().is_none() { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }

    /// Leaves the connection to the task, whatever became of the last exchange.
    pub(crate) fn hand_over(&self) {
        self.bell.state.store(CONNECTION, Ordering::SeqCst);
        self.bell.task.wake();
    }

    fn connection(&self) -> MutexGuard<'_, Option<BoxFuture<'static, Result<(), Error>>>> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Polls the connection.
    fn drive(&self) {
        let mut place = self.connection();
        let mut context = Context::from_waker(&self.of_connection);
        if let Some(connection) = place.as_mut()
            && connection.as_mut().poll(&mut context).is_ready()
        {
            // Its error is told by the statement that meets it.
            *place = None;
            // It may be an exchange that found out: then the task has to, too.
            self.bell.task.wake();
        }
    }
}

/// The connection can go on.
const CONNECTION: u8 = 1;
/// The exchange can go on.
const EXCHANGE: u8 = 2;
/// An exchange drives, not the task.
const ATTENDED: u8 = 4;
/// The exchange is being polled: it looks at the bell itself before it comes to rest.
const POLLED: u8 = 8;

/// Who can go on, and whom to wake for it.
///
/// Whatever an exchange sets going while it is polled it sees in the same poll, so that an answer
/// costs its task one wake-up.
struct Bell {
    state: AtomicU8,
    task: AtomicWaker,
    exchange: AtomicWaker,
}

impl Default for Bell {
    /// The connection was never polled.
    fn default() -> Self {
        let (task, exchange) = (AtomicWaker::new(), AtomicWaker::new());
        Self { state: AtomicU8::new(CONNECTION), task, exchange }
    }
}

impl Bell {
    fn ring(&self, who: u8) {
        let state = self.state.fetch_or(who, Ordering::SeqCst);
        if state & POLLED != 0 {
            return;
        }
        match state & ATTENDED != 0 {
            true => self.exchange.wake(),
            false => self.task.wake(),
        }
    }

    /// A poll of the exchange begins.
    fn attend(&self, waker: &Waker) {
        self.exchange.register(waker);
        self.state.fetch_or(POLLED, Ordering::SeqCst);
    }

    /// Who can go on. Of these, those are seen to now.
    fn take(&self, those: u8) -> u8 {
        self.state.fetch_and(!those, Ordering::SeqCst)
    }

    /// Ends a poll of the exchange, unless somebody can go on.
    fn rest(&self) -> bool {
        let (from, to) = (ATTENDED | POLLED, ATTENDED);
        self.state.compare_exchange(from, to, Ordering::SeqCst, Ordering::SeqCst).is_ok()
    }

    /// Ends a poll of the exchange in which somebody could go on.
    fn pause<T>(&self, waker: &Waker) -> Poll<T> {
        self.state.fetch_and(!POLLED, Ordering::SeqCst);
        waker.wake_by_ref();
        Poll::Pending
    }

    fn is_attended(&self) -> bool {
        self.state.load(Ordering::SeqCst) & ATTENDED != 0
    }
}

/// Rings the bell when it is woken.
struct Cord {
    bell: Arc<Bell>,
    who: u8,
}

impl Cord {
    fn waker(bell: &Arc<Bell>, who: u8) -> Waker {
        Arc::new(Self { bell: Arc::clone(bell), who }).into()
    }
}

impl Wake for Cord {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.bell.ring(self.who);
    }
}

/// An exchange under way.
struct Attendance<'a>(&'a Bell);

impl<'a> Attendance<'a> {
    fn begin(bell: &'a Bell) -> Self {
        bell.state.fetch_or(ATTENDED, Ordering::SeqCst);
        Self(bell)
    }
}

impl Drop for Attendance<'_> {
    fn drop(&mut self) {
        // Not kept any longer than need be: it keeps a task in memory.
        drop(self.0.exchange.take());
        let state = self.0.state.fetch_and(CONNECTION, Ordering::SeqCst);
        if state & CONNECTION != 0 {
            self.0.task.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Drive;
    use std::future::poll_fn;
    use std::pin::pin;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::task::{Context, Poll, Waker};
    use tokio::sync::{mpsc, oneshot};
    use tokio::task::yield_now;

    type Question = oneshot::Sender<()>;

    /// A connection that answers what it is asked, after so many polls more, and counts.
    struct Wire {
        drive: Arc<Drive>,
        ask: mpsc::UnboundedSender<Question>,
        driven: Arc<AtomicU32>,
        task: tokio::task::JoinHandle<()>,
    }

    impl Wire {
        async fn new() -> Self {
            let (ask, mut asked) = mpsc::unbounded_channel::<Question>();
            let driven = Arc::new(AtomicU32::new(0));
            let count = Arc::clone(&driven);
            let drive = Arc::new(Drive::new(Box::pin(poll_fn(move |context| {
                count.fetch_add(1, Ordering::Relaxed);
                loop {
                    match asked.poll_recv(context) {
                        Poll::Ready(Some(question)) => drop(question.send(())),
                        Poll::Ready(None) => return Poll::Ready(Ok(())),
                        Poll::Pending => return Poll::Pending,
                    }
                }
            }))));
            let keeper = Arc::clone(&drive);
            let task = tokio::spawn(async move { keeper.keep().await });
            yield_now().await;
            Self { drive, ask, driven, task }
        }

        fn driven(&self) -> u32 {
            self.driven.load(Ordering::Relaxed)
        }

        async fn exchange(&self) {
            let (question, answer) = oneshot::channel();
            self.ask.send(question).unwrap();
            answer.await.unwrap();
        }
    }

    #[tokio::test]
    async fn an_exchange_drives_and_the_task_rests() {
        let wire = Wire::new().await;
        assert_eq!(wire.driven(), 1);
        for round in 2..5 {
            let mut exchange = pin!(wire.exchange());
            let mut attended = pin!(wire.drive.attend(exchange.as_mut()));
            // Asked and answered in one poll, without a wake-up.
            let polled = attended.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            assert!(polled.is_ready());
            yield_now().await;
            assert_eq!(wire.driven(), round);
        }
    }

    #[tokio::test]
    async fn the_task_drives_while_there_is_no_exchange() {
        let wire = Wire::new().await;
        wire.exchange().await;
        wire.drive.attend(pin!(wire.exchange())).await;
        wire.exchange().await;
        let Wire { ask, task, .. } = wire;
        drop(ask);
        task.await.unwrap();
    }

    #[tokio::test]
    async fn the_task_goes_on_with_a_dropped_exchange() {
        let wire = Wire::new().await;
        let (question, answer) = oneshot::channel();
        {
            let ask = async {
                wire.ask.send(question).unwrap();
                std::future::pending::<()>().await;
            };
            let mut ask = pin!(ask);
            let mut attended = Box::pin(wire.drive.attend(ask.as_mut()));
            let mut context = Context::from_waker(Waker::noop());
            assert!(attended.as_mut().poll(&mut context).is_pending());
            let (later, _) = oneshot::channel();
            wire.ask.send(later).unwrap();
            // Nobody polls it again.
        }
        answer.await.unwrap();
        let before = wire.driven();
        yield_now().await;
        assert_eq!(wire.driven(), before + 1);
    }

    #[tokio::test]
    async fn the_task_ends_when_an_exchange_sees_the_end() {
        let Wire { drive, ask, task, .. } = Wire::new().await;
        let mut ask = Some(ask);
        let end = poll_fn(|_| match ask.take() {
            Some(_) => Poll::Pending,
            None => Poll::Ready(()),
        });
        drive.attend(pin!(end)).await;
        task.await.unwrap();
    }

    /// Rings from other threads are never lost: each exchange gets its answer.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn no_ring_is_lost() {
        let wire = Arc::new(Wire::new().await);
        let neighbour = Arc::clone(&wire);
        let others = tokio::spawn(async move {
            for _ in 0..20_000 {
                neighbour.exchange().await;
            }
        });
        for _ in 0..20_000 {
            wire.drive.attend(pin!(wire.exchange())).await;
        }
        others.await.unwrap();
    }
}
