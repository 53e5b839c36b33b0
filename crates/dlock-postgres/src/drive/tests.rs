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

/// Several exchanges at once, and one of them that is in flight and not polled any more.
#[tokio::test]
async fn an_exchange_that_is_not_polled_stops_nobody() {
    let wire = Wire::new().await;
    let (question, answer) = oneshot::channel();
    let ask = async {
        wire.ask.send(question).unwrap();
        answer.await.unwrap();
    };
    let mut ask = pin!(ask);
    let mut parked = Box::pin(wire.drive.attend(ask.as_mut()));
    // Its waker wakes nobody, and it is never polled again.
    let polled = parked.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    assert!(polled.is_ready() || polled.is_pending());
    wire.drive.attend(pin!(wire.exchange())).await;
    for _ in 0..2 {
        let (question, _) = oneshot::channel();
        wire.ask.send(question).unwrap();
        yield_now().await;
    }
    wire.exchange().await;
}
