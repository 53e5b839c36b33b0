use crate::Key;
use crate::answer::{Reply, is_not_prepared};
use crate::statement::{Statements, millis};
use dlock_core::Wait;
use mysql_async::{Conn, Opts};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use std::{fmt, mem};

/// What a lock shares with its exchanges: what it says, and what it knows of its session.
#[derive(Debug)]
pub(crate) struct Claim {
    pub(crate) statements: Statements,
    /// Whether the server lets a session hold several names.
    pub(crate) is_supported: bool,
    /// When the session was there already.
    pub(crate) since: Instant,
    facts: Mutex<Facts>,
}

/// What is known of a session.
#[derive(Default)]
pub(crate) struct Facts {
    /// How to connect as its user.
    pub(crate) opts: Opts,
    /// Its number on the server, and whether the server has said so: a proxy gives out others.
    pub(crate) id: u64,
    pub(crate) is_proven: bool,
    /// Which server that was.
    pub(crate) server: String,
    /// Whether it holds the key by this lock.
    pub(crate) held: Held,
    /// Whether it runs a statement of the caller's that was dropped, and could not be ended.
    pub(crate) is_stuck: bool,
    /// Whether nobody has had it since it was seen not to hold the key otherwise.
    pub(crate) is_untouched: bool,
    /// Whether what is said again is to be prepared.
    pub(crate) prepares: bool,
    /// How long the acquire waits that was said last, and whether that was said before.
    millis: Option<u64>,
    is_said_again: bool,
}

/// Whether a session holds the key, as the answers say. So an exchange that nobody waits for any more
/// still knows what there is to free, and frees nothing that the caller took by hand.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) enum Held {
    #[default]
    No,
    /// An answer is to come, or never came.
    Perhaps,
    Yes,
}

/// A statement that acquires.
pub(crate) enum Say {
    /// Over a session that somebody else may have had.
    Attempt(String),
    /// Over one that is known.
    Acquire { text: String, is_prepared: bool, waits: bool },
}

impl Claim {
    pub(crate) fn new(conn: &Conn, key: &Key) -> Self {
        let version = conn.server_version();
        let (opts, id) = (conn.opts().clone(), conn.id().into());
        Self {
            statements: Statements::new(version.0 >= 10, key),
            is_supported: is_supported(version),
            since: Instant::now(),
            facts: Mutex::new(Facts { opts, id, ..Facts::default() }),
        }
    }

    pub(crate) fn facts(&self) -> MutexGuard<'_, Facts> {
        self.facts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is said now to acquire. A session that somebody may have had is first asked without a wait: a
    /// free key takes no longer by that, and nothing is left on the connection that could hide the wait.
    pub(crate) fn say(&self, conn: &Conn, wait: Wait) -> Say {
        let (mut facts, millis) = (self.facts(), millis(wait));
        facts.held = Held::Perhaps;
        if !facts.is_untouched {
            // The caller may have become another user.
            facts.opts = conn.opts().clone();
            facts.is_said_again = false;
            return Say::Attempt(self.statements.attempt(facts.id));
        }
        facts.is_said_again = facts.millis.replace(millis) == Some(millis);
        let is_prepared = facts.prepares && facts.is_said_again;
        Say::Acquire { text: self.statements.acquire(millis), is_prepared, waits: millis > 0 }
    }
}

impl fmt::Debug for Facts {
    /// Without the options: they have the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Facts")
            .field("id", &self.id)
            .field("server", &self.server)
            .field("held", &self.held)
            .finish_non_exhaustive()
    }
}

impl Facts {
    /// Keeps in mind what an acquire was answered, and tells whether another is to be said: for the next
    /// slice, or without preparing it.
    pub(crate) fn keep(&mut self, reply: &Reply, last: bool) -> bool {
        self.held = match reply.answer {
            Ok(true) => Held::Yes,
            Err(_) if !reply.usable => Held::Perhaps,
            _ => Held::No,
        };
        self.is_untouched = reply.answer.is_ok();
        self.is_proven |= reply.answer.is_ok();
        match &reply.answer {
            Ok(is_granted) => !is_granted && !last,
            Err(error) => is_not_prepared(error) && mem::take(&mut self.prepares),
        }
    }

    /// The server's number of the session, where it is another than was thought. `false`: it was said
    /// otherwise before, so that this is another session.
    pub(crate) fn learn(&mut self, id: u64) -> bool {
        self.id = id;
        !mem::replace(&mut self.is_proven, true)
    }

    /// A release is said now; whether it is to be prepared.
    pub(crate) fn release(&mut self) -> bool {
        self.held = Held::Perhaps;
        self.prepares && self.is_said_again
    }

    /// What it was answered.
    pub(crate) fn released(&mut self, was_held: bool) {
        self.held = Held::No;
        self.is_untouched &= was_held;
    }
}

/// Whether a session holds several names at once: before, taking one freed the other. MySQL from 5.7.5,
/// MariaDB from 10.0.2 on; a version that cannot be read counts as one.
pub(crate) fn is_supported(version: (u16, u16, u16)) -> bool {
    match version {
        (0, 0, 0) => true,
        (10.., ..) => version >= (10, 0, 2),
        _ => version >= (5, 7, 5),
    }
}

#[cfg(test)]
mod tests {
    use super::is_supported;

    #[test]
    fn servers_whose_sessions_hold_one_name_are_not_supported() {
        for old in [(5, 5, 68), (5, 6, 51), (5, 7, 4), (10, 0, 1)] {
            assert!(!is_supported(old), "{old:?}");
        }
        for new in [(5, 7, 5), (8, 0, 11), (9, 7, 0), (10, 0, 2), (11, 4, 2), (0, 0, 0)] {
            assert!(is_supported(new), "{new:?}");
        }
    }
}
