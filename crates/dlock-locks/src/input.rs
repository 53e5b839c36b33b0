use crate::driver::Driver;
use crate::hold::Hold;
use crate::model::{Asked, Event, Refusal, RequestId, Stats};
use crate::{LostReason, driver::Session};
use std::sync::Arc;
use tokio::sync::oneshot;

/// A refusal, with the driver's error shared by those who meet it.
pub(crate) type Refused<D> = Refusal<Arc<<D as Driver>::Error>>;

/// What the engine answers a request with.
pub(crate) type Granting<D> = Result<Arc<Hold>, Refused<D>>;

/// What callers tell the engine.
pub(crate) enum Input<D: Driver> {
    Ask(Asked<D::Key>, oneshot::Sender<Granting<D>>),
    Drop(RequestId),
    Release(RequestId, oneshot::Sender<Result<(), LostReason>>),
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
