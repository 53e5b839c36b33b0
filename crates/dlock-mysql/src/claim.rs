use crate::answer::{Answer, ask};
use crate::known::Known;
use crate::prepared::Prepared;
use crate::texts::Texts;
use crate::{AsConn, Key};
use dlock_core::Wait;
use std::borrow::Cow;
use std::future::Future;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};

/// What a lock shares with its round trips: what it says, what the server granted, and what is known
/// of the session.
#[derive(Debug)]
pub(crate) struct Claim {
    texts: Texts,
    granted: AtomicBool,
    known: AtomicU8,
    prepared: Prepared,
}

impl Claim {
    pub(crate) fn new(key: &Key) -> Self {
        let (granted, known) = (AtomicBool::new(false), AtomicU8::new(Known::Nothing as u8));
        Self { texts: Texts::new(key), granted, known, prepared: Prepared::default() }
    }

    /// Has the acquire for this wait at hand.
    pub(crate) fn set_wait(&mut self, wait: Wait) {
        self.texts.set(self.known(), wait);
    }

    pub(crate) fn acquire(&self, wait: Wait) -> Cow<'_, str> {
        self.texts.acquire(self.known(), wait)
    }

    pub(crate) fn release(&self) -> &str {
        self.texts.release()
    }

    /// Asks for the number in the first column of the only row. What a lock says again is prepared, if it
    /// is to be: a wait of another length each time would fill the driver's cache.
    pub(crate) fn ask<'a, S: AsConn>(
        &self,
        session: &'a mut S,
        statement: &'a str,
    ) -> impl Future<Output = Answer> + Unpin + use<'a, S> {
        ask(session, statement, self.texts.are_said_again() && self.prepared.is_set())
    }

    pub(crate) fn set_prepared(&self) {
        self.prepared.set();
    }

    /// Whether the server ran nothing, only since it was asked to prepare it: from then on nothing is.
    pub(crate) fn was_refused(&self, error: &mysql_async::Error) -> bool {
        self.prepared.was_refused(error)
    }

    /// Whether the server has granted the key and not been told to free it, as the answers say. So a
    /// trip that nobody waits for any more still knows what there is to free, and frees nothing that
    /// the caller took by hand.
    pub(crate) fn is_granted(&self) -> bool {
        self.granted.load(Ordering::Acquire)
    }

    pub(crate) fn set_granted(&self, is_granted: bool) {
        self.granted.store(is_granted, Ordering::Release);
    }

    pub(crate) fn known(&self) -> Known {
        Known::from_u8(self.known.load(Ordering::Acquire))
    }

    pub(crate) fn set_known(&self, known: Known) {
        self.known.store(known as u8, Ordering::Release);
    }
}
