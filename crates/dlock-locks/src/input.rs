use crate::driver::Driver;
use crate::driver::{Session, SessionOptions};
use crate::hold::Hold;
use crate::model::{Asked, Event, Patience, Refusal, RequestId, Stats};
use crate::{LostReason, Mode};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use tokio::sync::oneshot;
use tokio::task;
use tokio_util::sync::CancellationToken;

/// A refusal, with the driver's error shared by those who meet it.
pub(crate) type Refused<D> = Refusal<Arc<<D as Driver>::Error>>;

/// What the engine answers a request with.
pub(crate) type Granting<D> = Result<Arc<Hold>, Refused<D>>;

/// A mode that a hold is to have, how long that may take, and who wants to know.
pub(crate) struct Converting<D: Driver> {
    pub(crate) request: RequestId,
    pub(crate) to: Mode,
    pub(crate) patience: Patience,
    pub(crate) answer: oneshot::Sender<Result<bool, Refused<D>>>,
}

/// A request as its caller makes it.
pub(crate) struct Asking<D: Driver> {
    pub(crate) asked: Asked<D::Key>,
    /// The task that asks, where it is one.
    pub(crate) task: Option<task::Id>,
    /// What is cancelled when the hold is lost.
    pub(crate) cancel: CancellationToken,
    pub(crate) answer: oneshot::Sender<Granting<D>>,
}

/// Work on the engine's thread, beside its sessions.
pub(crate) type Errand<D> =
    Box<dyn FnOnce(Arc<D>, SessionOptions) -> Pin<Box<dyn Future<Output = ()>>> + Send>;

/// What callers tell the engine.
pub(crate) enum Input<D: Driver> {
    Ask(Asking<D>),
    AskAll(Vec<Asking<D>>),
    Drop(RequestId),
    Release(RequestId, oneshot::Sender<Result<(), LostReason>>),
    Convert(Converting<D>),
    Run(Errand<D>),
    /// By which names this process knows these keys.
    Names(Vec<D::Key>, oneshot::Sender<Vec<D::Key>>),
    Open(oneshot::Sender<Result<(), Option<Arc<D::Error>>>>),
    Stats(oneshot::Sender<Stats>),
    Close(oneshot::Sender<()>),
}

/// What a session's task tells the engine.
pub(crate) struct Heard<D: Driver> {
    pub(crate) event: Event<D::Key, Arc<D::Error>>,
    /// Of a session that was opened: whether it has a lease.
    pub(crate) has_lease: bool,
}

impl<D: Driver> Heard<D> {
    pub(crate) fn event(event: Event<D::Key, Arc<D::Error>>) -> Self {
        Self { event, has_lease: false }
    }

    pub(crate) fn opened(id: crate::model::SessionId, session: &D::Session) -> Self {
        let event = Event::Opened { session: id, server: session.server().to_owned() };
        Self { event, has_lease: session.has_lease() }
    }
}
