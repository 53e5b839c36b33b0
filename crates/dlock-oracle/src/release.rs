//! Letting go: of a key, and of a session.

use crate::Error;
use crate::answer::{self, GRANTED, OWNED_OR_NOT};
use crate::session::{Claim, Worker};
use crate::statement::{self, Code};
use oracle::Connection;
use oracle::conn::CloseMode;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

/// How often a call that a break ended is made again: a break of someone else's may come late.
const TRIES: usize = 3;

/// How soon ending a session is tried again, at first and at last.
const AGAIN: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

impl Worker {
    /// Releases. `false`: this session did not hold it.
    pub(crate) fn unlock(&mut self, claim: &Arc<Claim>) -> Result<bool, Error> {
        if !self.holds(claim) {
            return Ok(claim.on_commit);
        }
        match self.release(claim.id) {
            Ok(code @ (GRANTED | OWNED_OR_NOT)) => {
                self.held.remove(&claim.id);
                Ok(code == GRANTED || claim.on_commit)
            }
            Ok(code) => Err(answer::refused(code)),
            Err(error) => {
                if answer::ends_session(&error) {
                    self.end();
                }
                Err(answer::explain(error))
            }
        }
    }

    /// Lets go of what a lock has got, without anybody to tell.
    pub(crate) fn abandon(&mut self, claim: &Arc<Claim>) {
        if self.holds(claim) {
            self.let_go(claim.id, claim.on_commit);
        }
    }

    /// Releases a key, or ends the session. Afterwards it is certainly not held.
    ///
    /// "Not held" is an answer only where that may be: else nobody knows whose session gave it.
    pub(crate) fn let_go(&mut self, id: u32, may_be_gone: bool) {
        self.held.remove(&id);
        match self.release(id) {
            Ok(GRANTED) => {}
            Ok(OWNED_OR_NOT) if may_be_gone => {}
            _ => self.end(),
        }
    }

    /// Releases a key, and gives the code. A call that a break ended is made again; it may have
    /// released all the same, so that "not owned" means "released" from then on.
    fn release(&self, id: u32) -> Code {
        let mut tries = 1;
        loop {
            match statement::release(&self.session.connection, id) {
                Err(error) if answer::is_cancelled(&error) && tries < TRIES => tries += 1,
                Ok(OWNED_OR_NOT) if tries > 1 => return Ok(GRANTED),
                result => return result,
            }
        }
    }

    /// Ends the session and whatever runs on it. Afterwards the server has let go.
    pub(crate) fn end(&mut self) {
        self.session.has_ended.store(true, Ordering::SeqCst);
        self.held.clear();
        end(&self.session.connection);
    }
}

/// Ends a session, whatever runs on it, and waits for as long as that takes.
pub(crate) fn end(connection: &Connection) {
    let mut pause = AGAIN.0;
    while !is_closed(connection) {
        thread::sleep(pause);
        pause = AGAIN.1.min(pause * 2);
    }
}

/// Closes the connection; a pool does not get its session back. `true`: the server has answered, or the
/// connection is there no more.
fn is_closed(connection: &Connection) -> bool {
    // A session ends between two statements only. The ping waits for that, and takes a break that met
    // nobody.
    drop(connection.break_execution());
    drop(connection.ping());
    let closed = match connection.close_with_mode(CloseMode::Drop) {
        Err(error) if answer::is_of_no_pool(&error) => connection.close(),
        closed => closed,
    };
    closed.map_or_else(|error| answer::ends_session(&error), |()| true)
}
