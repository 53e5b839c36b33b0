//! One lock's claim on a key: what it takes to break its calls off, and to let it go.

use crate::answer::{self, GRANTED, OWNED_OR_NOT};
use crate::session::Session;
use crate::{Error, Key};
use oracle::Connection;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// One lock's claim on a key, from its request to its release.
#[derive(Debug)]
pub(crate) struct Claim {
    pub(crate) key: Key,
    /// COMMIT and ROLLBACK free it.
    pub(crate) on_commit: bool,
    flight: Mutex<Flight>,
}

/// Whether a break would meet a call of this claim's.
#[derive(Debug, Default)]
struct Flight {
    /// Nobody waits for the answer any more.
    is_gone: bool,
    is_breakable: bool,
    is_broken: bool,
}

impl Claim {
    pub(crate) fn new(key: Key, on_commit: bool) -> Arc<Self> {
        Arc::new(Self { key, on_commit, flight: Mutex::default() })
    }

    /// Breaks the call under way off, as best effort, and lets no other begin.
    pub(crate) fn call_off(&self, connection: &Connection) {
        let mut flight = self.flight();
        flight.is_gone = true;
        if flight.is_breakable {
            // Without it the wait ends with its slice.
            flight.is_broken |= connection.break_execution().is_ok();
        }
    }

    pub(crate) fn is_gone(&self) -> bool {
        self.flight().is_gone
    }

    /// Whether a break was sent, which may still be on its way.
    fn is_broken(&self) -> bool {
        self.flight().is_broken
    }

    /// Makes a call that may be broken off: the break is sent while the call runs, or not at all.
    /// `None` when nobody waits for it any more.
    pub(crate) fn breakable<T>(&self, call: impl FnOnce() -> T) -> Option<T> {
        let is_gone = {
            let mut flight = self.flight();
            flight.is_breakable = !flight.is_gone;
            flight.is_gone
        };
        let result = (!is_gone).then(call);
        self.flight().is_breakable = false;
        result
    }

    fn flight(&self) -> MutexGuard<'_, Flight> {
        self.flight.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Releases a claim. `false`: this session did not hold it.
pub(crate) fn release(claim: &Arc<Claim>, session: &mut Session) -> Result<bool, Error> {
    if !session.is_held_by(claim) {
        return Ok(claim.on_commit);
    }
    match session.release(claim.key) {
        Ok(code @ (GRANTED | OWNED_OR_NOT)) => {
            session.forget(claim.key);
            Ok(code == GRANTED || claim.on_commit)
        }
        Ok(code) => Err(answer::refused(code)),
        Err(error) => Err(session.failed(error)),
    }
}

/// Lets go of whatever a claim that was called off has got, and meets a break that is on its way, so
/// that no statement of the caller's does.
pub(crate) fn abandon(claim: &Arc<Claim>, session: &mut Session) {
    if session.is_held_by(claim) {
        return session.let_go(claim.key);
    }
    match session.holder(claim.key) {
        _ if !claim.is_broken() => {}
        None => session.let_go(claim.key),
        Some(_) => session.meet_break(),
    }
}
