use crate::Error;
use std::borrow::BorrowMut;
use std::error;
use std::future::{Future, poll_fn};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;

/// One round trip over a session that takes `&mut`.
pub trait Trip<S: ?Sized>: Send + 'static {
    /// The native driver's error.
    type Error: error::Error + Send + Sync + 'static;

    /// Sends, and reads the answer to its end.
    ///
    /// `place` is the session or a borrow of it, by value: so an owned session and its trip are one
    /// future, not one around the other. It comes back if the session can be used again.
    ///
    /// When `gone` fires nobody waits for the answer any more: cancel on the server, then still read
    /// the answer, so that the session can be used again; or say that it cannot. A trip that takes
    /// longer than a second after that is dropped, and the session with it.
    fn run<P>(self, place: P, gone: Gone) -> impl Future<Output = Landed<P, Self::Error>> + Send
    where
        P: BorrowMut<S> + Send;
}

/// What a round trip ends with: the session if it can be used again, and the server's answer. An error
/// is rare and large: in a box it does not weigh on the rest.
pub type Landed<P, E> = (Option<P>, Result<bool, Box<Error<E>>>);

/// What the server said in a round trip.
#[derive(Debug)]
pub struct Outcome<E> {
    /// The answer.
    pub answer: Result<bool, Box<Error<E>>>,
    /// Whether the session can be used again: the answer was read to its end.
    pub usable: bool,
}

impl<E> Outcome<E> {
    /// Together with the session that it was said in.
    pub fn with<P>(self, place: P) -> Landed<P, E> {
        (self.usable.then_some(place), self.answer)
    }
}

/// Keeps a session that takes `&mut`: owned ([`Moving`](crate::Moving)) or lent
/// ([`Lent`](crate::Lent)). A driver writes its trips once, for both.
pub trait Hold: Send {
    /// The session.
    type Session: ?Sized;
    /// The native driver's error.
    type Error: error::Error + Send + Sync + 'static;

    /// The session, while no trip is under way.
    fn session(&mut self) -> Option<&mut Self::Session>;

    /// Whether the session has ended, or may never be used again.
    fn is_closed(&self) -> bool;

    /// Makes a round trip. [`Error::Closed`] when there is no session to make it over.
    fn run<T>(&mut self, trip: T) -> impl Future<Output = Result<bool, Error<Self::Error>>> + Send
    where
        T: Trip<Self::Session, Error = Self::Error>;

    /// Lets go without waiting: ends the trip under way, then makes this one that releases.
    fn abandon<T>(&mut self, release: T)
    where
        T: Trip<Self::Session, Error = Self::Error>;

    /// Waits for what [`abandon`](Hold::abandon) began.
    fn settle(&mut self) -> impl Future<Output = ()> + Send;
}

/// Fires when the future that waited for a trip was dropped.
#[derive(Debug)]
pub struct Gone(Option<Arc<AtomicBool>>);

impl Gone {
    /// One that [`fire`](Gone::fire) fires.
    pub(crate) fn new() -> Self {
        Self(Some(Arc::default()))
    }

    /// The same once more.
    pub(crate) fn twin(&self) -> Self {
        Self(self.0.clone())
    }

    /// One that never fires: for a session whose trips are dropped together with their future.
    pub(crate) fn never() -> Self {
        Self(None)
    }

    pub(crate) fn fire(&self) {
        self.set(true);
    }

    /// Makes it as new, for the next trip.
    pub(crate) fn reset(&self) {
        self.set(false);
    }

    fn set(&self, has_fired: bool) {
        if let Some(flag) = &self.0 {
            flag.store(has_fired, Ordering::Release);
        }
    }

    /// Whether nobody waits for the answer any more.
    ///
    /// It wakes nobody: a trip is polled anew once it has fired. So look whenever the trip is polled.
    #[must_use]
    pub fn has_fired(&self) -> bool {
        self.0.as_ref().is_some_and(|flag| flag.load(Ordering::Acquire))
    }

    /// Completes when nobody waits for the answer any more. It wakes nobody, as
    /// [`has_fired`](Gone::has_fired) says: poll it whenever the trip is polled, as `select!` does.
    ///
    /// # Cancel safety
    /// May be dropped and called again.
    pub async fn fired(&self) {
        poll_fn(|_| if self.has_fired() { Poll::Ready(()) } else { Poll::Pending }).await;
    }
}
