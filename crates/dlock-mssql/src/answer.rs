use crate::Error;
use dlock_core::Reply;
use tiberius::error::{Error as Native, IoErrorKind};

/// What the procedures return, and what the batches of this crate return beside it:
/// <https://learn.microsoft.com/sql/relational-databases/system-stored-procedures/sp-getapplock-transact-sql#return-code-values>.
pub(crate) mod code {
    /// Granted at once.
    pub(crate) const GRANTED: i32 = 0;
    /// Granted after others had released.
    pub(crate) const GRANTED_LATER: i32 = 1;
    /// The time-out was over.
    pub(crate) const TIMED_OUT: i32 = -1;
    /// Somebody else ended the wait.
    pub(crate) const CANCELLED: i32 = -2;
    /// Chosen as the victim of a deadlock.
    pub(crate) const DEADLOCK: i32 = -3;
    /// A batch of ours: the session holds the name already.
    pub(crate) const HELD: i32 = 101;
    /// A batch of ours: the session does not hold the name as it should.
    pub(crate) const NOT_HELD: i32 = 102;
}

/// <https://learn.microsoft.com/sql/relational-databases/errors-events/database-engine-events-and-errors>.
mod number {
    /// "Transaction was deadlocked on lock resources with another process".
    pub(super) const DEADLOCK: u32 = 1205;
    /// "Cannot release the application lock because it is not currently held."
    pub(super) const NOT_HELD: u32 = 1223;
    /// "Cannot continue the execution because the session is in the kill state."
    pub(super) const KILLED: u32 = 596;
}

/// From this class on the server ends the session:
/// <https://learn.microsoft.com/sql/relational-databases/errors-events/database-engine-error-severities>.
const FATAL: u8 = 20;

/// The code that a request for a lock was answered with.
pub(crate) fn granted(code: i32, refusal: &'static str) -> Result<bool, Error> {
    match code {
        code::GRANTED | code::GRANTED_LATER => Ok(true),
        code::TIMED_OUT => Ok(false),
        code::CANCELLED => Err(Error::Interrupted(None)),
        code::DEADLOCK => Err(Error::Deadlock(None)),
        code::HELD => Err(Error::AlreadyHeld),
        code::NOT_HELD => Err(Error::Lost(None)),
        code => Err(Error::Refused { code, meaning: refusal }),
    }
}

/// What an error of the driver's means for a lock, and whether the session lives on.
///
/// An error of the server's is the last thing of an answer that was read to its end; after any other
/// error nobody knows where the next answer begins.
pub(crate) fn failed(error: Native) -> Reply<Native> {
    let usable = matches!(&error, Native::Server(said) if said.class() < FATAL);
    Reply { answer: Err(meaning(error).into()), usable }
}

fn meaning(error: Native) -> Error {
    match (&error, error.code()) {
        (_, Some(number::DEADLOCK)) => Error::Deadlock(Some(error)),
        (_, Some(number::NOT_HELD)) => Error::Lost(Some(error)),
        (_, Some(number::KILLED)) => Error::Interrupted(Some(error)),
        (Native::Io { kind: IoErrorKind::TimedOut, .. }, _) => Error::Interrupted(Some(error)),
        _ => Error::Driver(error),
    }
}

/// The answer was none that this crate asked for: the client had another one pending.
pub(crate) fn astray() -> Reply<Native> {
    Reply { answer: Err(Error::Closed.into()), usable: false }
}

#[cfg(test)]
mod tests;
