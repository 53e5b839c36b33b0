//! Asking for a lock, or for another mode of it, slice by slice.

use crate::answer::{self, DEADLOCK, GRANTED, OWNED_OR_NOT, TIMED_OUT};
use crate::claim::Claim;
use crate::session::Session;
use crate::statement::{self, CONVERT, REQUEST};
use crate::{Error, Mode};
use dlock_core::{Deadline, Wait};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;

/// The longest that one call waits. It must outlast the server's own look for deadlocks, said to be
/// after 3 seconds.
pub(crate) const SLICE: Duration = Duration::from_secs(5);

/// How long a call may outlast its slice before a call time-out of the caller's may end it.
const MARGIN: Duration = Duration::from_secs(10);

/// What `seconds` may be early by, so that a whole second is not spent on tries.
const HUNDREDTH: Duration = Duration::from_millis(10);

/// What is asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Verb {
    /// A lock that is not held.
    Request,
    /// Another mode of one that is held in this mode.
    Convert(Mode),
}

/// A wait, between its slices.
#[derive(Debug)]
pub(crate) struct Ask {
    pub(crate) claim: Arc<Claim>,
    pub(crate) verb: Verb,
    pub(crate) mode: Mode,
    pub(crate) wait: Wait,
    /// Set when the first call is made: what comes before on the session does not count.
    pub(crate) deadline: Option<Deadline>,
    /// The caller may use the connection too.
    pub(crate) is_shared: bool,
    pub(crate) answer: oneshot::Sender<Result<bool, Error>>,
}

impl Ask {
    /// Waits one slice. Then the answer is known, or the next slice lines up behind what others
    /// want of the session.
    pub(crate) fn step(mut self, session: &mut Session) {
        match self.slice(session) {
            Some(answer) => drop(self.answer.send(answer)),
            None => session.line_up(Box::new(move |session| self.step(session))),
        }
    }

    fn slice(&mut self, session: &mut Session) -> Option<Result<bool, Error>> {
        if self.claim.is_gone() {
            return Some(Err(Error::Interrupted(None)));
        }
        let deadline = *self.deadline.get_or_insert_with(|| Deadline::new(self.wait));
        if self.is_shared && self.wait != Wait::No {
            match self.call(session, Wait::No, false)? {
                Ok(TIMED_OUT) => {}
                answer => return self.conclude(session, answer),
            }
        }
        let (slice, is_last) = deadline.slice(SLICE);
        match self.call(session, slice, is_last)? {
            Ok(TIMED_OUT) if !is_last || self.is_early(deadline) => None,
            answer => self.conclude(session, answer),
        }
    }

    /// The server's clock ran fast.
    fn is_early(&self, deadline: Deadline) -> bool {
        self.wait != Wait::No && deadline.slice(SLICE).0 != Wait::No
    }

    /// One call; `None` when it was called off before it began.
    ///
    /// A try comes back at once and is never broken off. Over a shared connection one goes before
    /// every wait, so that a break does not meet a statement of the caller's that was there before.
    fn call(
        &self,
        session: &Session,
        slice: Wait,
        is_last: bool,
    ) -> Option<Result<i64, oracle::Error>> {
        let limit = slice.limit().unwrap_or(SLICE);
        let (seconds, hundredths) = spans(limit, is_last);
        let given = [
            ("id", i64::from(self.claim.key.id())),
            ("lockmode", self.mode.number()),
            ("seconds", seconds),
            ("hundredths", hundredths),
            ("on_commit", i64::from(self.claim.on_commit)),
        ];
        let (block, given) = match self.verb {
            Verb::Request => (REQUEST, &given[..]),
            Verb::Convert(_) => (CONVERT, &given[..4]),
        };
        session.patiently(limit + MARGIN, |connection| {
            let call = || statement::call(connection, block, given);
            if slice == Wait::No { Some(call()) } else { self.claim.breakable(call) }
        })
    }

    fn conclude(
        &self,
        session: &mut Session,
        answer: Result<i64, oracle::Error>,
    ) -> Option<Result<bool, Error>> {
        Some(match (answer, self.verb) {
            (Ok(GRANTED), _) => {
                session.hold(&self.claim);
                Ok(true)
            }
            (Ok(TIMED_OUT), _) => Ok(false),
            (Ok(DEADLOCK), _) => Err(Error::Deadlock(None)),
            (Ok(OWNED_OR_NOT), Verb::Request) => Err(Error::AlreadyHeld),
            (Ok(OWNED_OR_NOT), Verb::Convert(_)) => {
                session.forget(self.claim.key);
                Err(Error::Lost(None))
            }
            (Ok(code), _) => Err(answer::refused(code)),
            (Err(error), _) => Err(self.failed(session, error)),
        })
    }

    /// An error may hide a success: undoes what may have been granted.
    fn failed(&self, session: &mut Session, error: oracle::Error) -> Error {
        if answer::ends_session(&error) || answer::is_compilation(&error) {
            return session.failed(error);
        }
        match self.verb {
            Verb::Request if session.holder(self.claim.key).is_none() => {
                session.let_go(self.claim.key);
            }
            Verb::Request => {}
            Verb::Convert(from) => {
                if !self.is_back(session, from) {
                    return Error::Lost(Some(error));
                }
            }
        }
        answer::explain(error)
    }

    /// Goes back to the mode it was held in. Where others have come in between, it is let go.
    fn is_back(&self, session: &mut Session, from: Mode) -> bool {
        let (seconds, hundredths) = spans(Duration::ZERO, false);
        let given = [
            ("id", i64::from(self.claim.key.id())),
            ("lockmode", from.number()),
            ("seconds", seconds),
            ("hundredths", hundredths),
        ];
        let back = statement::call(session.connection(), CONVERT, &given);
        let is_back = matches!(back, Ok(GRANTED));
        if !is_back {
            session.let_go(self.claim.key);
        }
        is_back
    }
}

/// How long a block waits in the queue, in seconds, and how long it goes on trying since its start,
/// in hundredths of a second.
fn spans(limit: Duration, is_last: bool) -> (i64, i64) {
    let whole = if is_last { limit + HUNDREDTH } else { limit };
    let seconds = i64::try_from(whole.as_secs()).unwrap_or(i64::MAX);
    if !is_last || limit.is_zero() {
        return (seconds, -1);
    }
    let hundredths = Wait::millis(limit).div_ceil(10);
    (seconds, i64::try_from(hundredths).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::{SLICE, spans};
    use std::time::Duration;

    #[test]
    fn a_slice_is_all_queue_and_the_last_one_ends_in_tries() {
        let cases = [
            (SLICE, false, (5, -1)),
            (Duration::ZERO, true, (0, -1)),
            (Duration::from_millis(1), true, (0, 1)),
            (Duration::from_millis(300), true, (0, 30)),
            (Duration::from_micros(999_900), true, (1, 100)),
            (Duration::from_millis(1501), true, (1, 151)),
        ];
        for (limit, is_last, expected) in cases {
            assert_eq!(spans(limit, is_last), expected, "{limit:?}");
        }
    }
}
