use crate::AsConn;
use crate::conn::spoil;
use dlock_core::{Reply, Returned};
use std::borrow::BorrowMut;
use std::marker::PhantomData;

/// A session with an answer to come. If it is dropped before it lands, or lands unusable, the connection
/// is spoiled: the driver forgets that an answer is to come where it had something of its own to do first
/// (a rollback, the rest of a result), and a pool would give the next user ours.
#[derive(Debug)]
pub(crate) struct Unread<S: AsConn, P: BorrowMut<S>> {
    place: Option<P>,
    session: PhantomData<fn() -> S>,
}

const PRESENT: &str = "the session is here until it lands";

impl<S: AsConn, P: BorrowMut<S>> Unread<S, P> {
    pub(crate) fn new(place: P) -> Self {
        Self { place: Some(place), session: PhantomData }
    }

    pub(crate) fn session(&mut self) -> &mut S {
        self.place.as_mut().expect(PRESENT).borrow_mut()
    }

    pub(crate) fn land<E>(mut self, outcome: Reply<E>) -> Returned<P, E> {
        let place = if outcome.usable { self.place.take() } else { None };
        (place, outcome.answer)
    }
}

impl<S: AsConn, P: BorrowMut<S>> Drop for Unread<S, P> {
    fn drop(&mut self) {
        if let Some(place) = &mut self.place {
            spoil(place.borrow_mut());
        }
    }
}
