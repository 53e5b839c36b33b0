use crate::{Error, Gone, Hold, Trip};
use std::error;
use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::pin;
use std::task::{Context, Waker};

/// A session lent by `&mut`.
///
/// Behind a borrow a drop can neither await nor close. A dropped guard still sends its release, but
/// nobody reads the answer; a dropped future leaves the session in the middle of an answer. After
/// either it may not be used again, and possibly holds the key until its owner drops it.
pub struct Lent<'a, S: ?Sized, E> {
    session: &'a mut S,
    broken: bool,
    error: PhantomData<fn() -> E>,
}

impl<'a, S: ?Sized, E> Lent<'a, S, E> {
    /// Borrows the session.
    pub fn new(session: &'a mut S) -> Self {
        Self { session, broken: false, error: PhantomData }
    }
}

impl<S: ?Sized + Send, E: error::Error + Send + Sync + 'static> Hold for Lent<'_, S, E> {
    type Session = S;
    type Error = E;

    fn session(&mut self) -> Option<&mut S> {
        (!self.broken).then_some(&mut *self.session)
    }

    fn is_closed(&self) -> bool {
        self.broken
    }

    async fn run<T: Trip<S, Error = E>>(&mut self, trip: T) -> Result<bool, Error<E>> {
        if self.broken {
            return Err(Error::Closed);
        }
        self.broken = true;
        let (session, answer) = trip.run(&mut *self.session, Gone::never()).await;
        self.broken = session.is_none();
        answer.map_err(|error| *error)
    }

    fn abandon<T: Trip<S, Error = E>>(&mut self, release: T) {
        if !self.broken {
            // The first poll sends.
            let sent = pin!(release.run(&mut *self.session, Gone::never()));
            drop(sent.poll(&mut Context::from_waker(Waker::noop())));
        }
        self.broken = true;
    }

    async fn settle(&mut self) {}
}

impl<S: ?Sized, E> fmt::Debug for Lent<'_, S, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lent").field("broken", &self.broken).finish_non_exhaustive()
    }
}
