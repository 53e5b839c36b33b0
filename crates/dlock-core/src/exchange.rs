use crate::Error;
use std::borrow::BorrowMut;
use std::error;
use std::future::{Future, poll_fn};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use std::time::Duration;

/// One round trip over a session that takes `&mut`.
pub trait Exchange<S: ?Sized>: Send + 'static {
    /// The native driver's error.
    type Error: error::Error + Send + Sync + 'static;

    /// Whether it releases: answered `true`, the key is not held any more.
    const RELEASES: bool = false;

    /// Sends, and reads the answer to its end.
    ///
    /// `session` is the session or a borrow of it, by value: so an owned session and its exchange are
    /// one future, not one around the other. It comes back if it can be used again.
    ///
    /// Once `cancelled` fires nobody waits for the answer any more: cancel on the server, then still
    /// read the answer, so that the session can be used again; or say that it cannot. An exchange that
    /// takes longer than [`End::PATIENCE`] after that is dropped, and the session with it.
    fn run<P>(
        self,
        session: P,
        cancelled: Cancelled,
    ) -> impl Future<Output = Returned<P, Self::Error>> + Send
    where
        P: BorrowMut<S> + Send;
}

/// What a round trip ends with: the session if it can be used again, and the server's answer. An error
/// is rare and large: in a box it does not weigh on the rest.
pub type Returned<P, E> = (Option<P>, Result<bool, Box<Error<E>>>);

/// What the server replied in a round trip.
#[derive(Debug)]
pub struct Reply<E> {
    /// The answer.
    pub answer: Result<bool, Box<Error<E>>>,
    /// Whether the session can be used again: the answer was read to its end.
    pub usable: bool,
}

impl<E> Reply<E> {
    /// Together with the session that it came over.
    pub fn with<P>(self, session: P) -> Returned<P, E> {
        (self.usable.then_some(session), self.answer)
    }
}

/// How the server is made to let go of a session that may not be used again.
pub trait End<S>: Clone + Send + Sync + 'static {
    /// The native driver's error.
    type Error: error::Error + Send + Sync + 'static;

    /// How long an exchange may go on when nobody waits for it any more, before the session is ended.
    const PATIENCE: Duration = Duration::from_secs(1);

    /// Ends the session and whatever runs on it, and answers once the server has let go.
    ///
    /// `session` is `None` where it was dropped together with an exchange. May be dropped and called
    /// again, then with `None`; it is called again, less and less often, until it answers `Ok`.
    fn end(
        &self,
        session: Option<S>,
    ) -> impl Future<Output = Result<(), Error<Self::Error>>> + Send;
}

/// Exclusive access to a session that takes `&mut`: owned ([`OwnedSession`](crate::OwnedSession)) or
/// borrowed ([`BorrowedSession`](crate::BorrowedSession)). A driver writes its exchanges once, for both.
pub trait Exclusive: Send {
    /// The session.
    type Session: ?Sized;
    /// The native driver's error.
    type Error: error::Error + Send + Sync + 'static;

    /// The session, while no exchange is in flight.
    fn session(&mut self) -> Option<&mut Self::Session>;

    /// The same, to look at.
    fn peek(&self) -> Option<&Self::Session>;

    /// Whether the session has ended, or may never be used again.
    fn is_closed(&self) -> bool;

    /// Makes a round trip. [`Error::Closed`] when there is no session to make it over.
    fn run<T>(
        &mut self,
        exchange: T,
    ) -> impl Future<Output = Result<bool, Error<Self::Error>>> + Send
    where
        T: Exchange<Self::Session, Error = Self::Error>;

    /// Lets go without waiting: cancels the exchange in flight, then makes this one that releases.
    /// It is polled once before this returns, so that it leaves even where nobody drives the runtime.
    fn abandon<T>(&mut self, release: T)
    where
        T: Exchange<Self::Session, Error = Self::Error>;

    /// Waits for what [`abandon`](Exclusive::abandon) began. After `Ok` the key is certainly not held.
    fn settle(&mut self) -> impl Future<Output = Result<(), Error<Self::Error>>> + Send;
}

/// A cancellation signal: fires when the future that waited for an exchange was dropped.
#[derive(Debug)]
pub struct Cancelled(Option<Arc<AtomicBool>>);

impl Cancelled {
    /// One that [`cancel`](Cancelled::cancel) fires.
    pub(crate) fn new() -> Self {
        Self(Some(Arc::default()))
    }

    /// The same signal once more.
    pub(crate) fn share(&self) -> Self {
        Self(self.0.clone())
    }

    /// One that never fires: for a session whose exchanges are dropped together with their future.
    pub(crate) fn never() -> Self {
        Self(None)
    }

    pub(crate) fn cancel(&self) {
        self.set(true);
    }

    /// Makes it as new, for the next exchange.
    pub(crate) fn reset(&self) {
        self.set(false);
    }

    fn set(&self, is_cancelled: bool) {
        if let Some(flag) = &self.0 {
            flag.store(is_cancelled, Ordering::Release);
        }
    }

    /// Whether nobody waits for the answer any more.
    ///
    /// It wakes nobody: an exchange is polled anew once it has fired. So look whenever it is polled.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.0.as_ref().is_some_and(|flag| flag.load(Ordering::Acquire))
    }

    /// Completes when nobody waits for the answer any more. It wakes nobody, as
    /// [`is_cancelled`](Cancelled::is_cancelled) says: poll it whenever the exchange is polled, as
    /// `select!` does.
    ///
    /// # Cancel safety
    /// May be dropped and called again.
    pub async fn cancelled(&self) {
        poll_fn(|_| if self.is_cancelled() { Poll::Ready(()) } else { Poll::Pending }).await;
    }
}
