use crate::{Cancelled, Error, Exchange, Exclusive};
use std::error;
use std::fmt;
use std::marker::PhantomData;
use std::pin::pin;
use std::task::{Context, Waker};
use tokio::task::coop::unconstrained;

/// A session borrowed by `&mut`.
///
/// Behind a borrow a drop can neither await nor close. A dropped guard still sends its release, but
/// nobody reads the answer; a dropped future leaves the session in the middle of an answer. After
/// either it may not be used again, and possibly holds the key until its owner drops it.
pub struct BorrowedSession<'a, S: ?Sized, E> {
    session: &'a mut S,
    /// An answer was not read to its end.
    broken: bool,
    error: PhantomData<fn() -> E>,
}

impl<'a, S: ?Sized, E> BorrowedSession<'a, S, E> {
    /// Borrows the session.
    pub fn new(session: &'a mut S) -> Self {
        Self { session, broken: false, error: PhantomData }
    }
}

impl<S, E> Exclusive for BorrowedSession<'_, S, E>
where
    S: ?Sized + Send,
    E: error::Error + Send + Sync + 'static,
{
    type Session = S;
    type Error = E;

    fn session(&mut self) -> Option<&mut S> {
        (!self.broken).then_some(&mut *self.session)
    }

    fn peek(&self) -> Option<&S> {
        (!self.broken).then_some(&*self.session)
    }

    fn is_closed(&self) -> bool {
        self.broken
    }

    async fn run<T: Exchange<S, Error = E>>(&mut self, exchange: T) -> Result<bool, Error<E>> {
        if self.broken {
            return Err(Error::Closed);
        }
        self.broken = true;
        let (session, answer) = exchange.run(&mut *self.session, Cancelled::never()).await;
        self.broken = session.is_none();
        answer.map_err(|error| *error)
    }

    fn abandon<T: Exchange<S, Error = E>>(&mut self, release: T) {
        if !self.broken {
            // The first poll sends, whatever is left of the task's budget.
            let sent = pin!(unconstrained(release.run(&mut *self.session, Cancelled::never())));
            drop(sent.poll(&mut Context::from_waker(Waker::noop())));
        }
        self.broken = true;
    }

    async fn settle(&mut self) -> Result<(), Error<E>> {
        Ok(())
    }
}

impl<S: ?Sized, E> fmt::Debug for BorrowedSession<'_, S, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BorrowedSession").field("broken", &self.broken).finish_non_exhaustive()
    }
}
