use crate::Error;
use dlock_core::Reply;
use tiberius::error::Error as Native;

/// Codes that are looked for before they are taken for an answer.
pub(crate) mod code {
    /// The procedure's: the time-out was over.
    pub(crate) const TIMED_OUT: i32 = -1;
    /// The procedure's: the session was chosen as the victim of a deadlock.
    pub(crate) const DEADLOCK: i32 = -3;
    /// The procedure's: the call was not right.
    pub(crate) const REFUSED: i32 = -999;
    /// Ours: the session holds the name already, and that was marked.
    pub(crate) const HELD_MARKED: i32 = 101;
    /// Ours: the session is in another database than when it was granted the name.
    pub(crate) const ELSEWHERE: i32 = 103;
    /// Ours: the session or its transaction holds the name already.
    pub(crate) const HELD: i32 = 105;
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

const ELSEWHERE: &str = "the session is in another database than the one that this lock was acquired \
                         in; go back there with USE, and try again";

const NOT_RELEASED: &str = "sp_releaseapplock did not accept the call; the lock is still held";

/// The code that a request for a lock was answered with: the procedure's up to 1, ours from 101 on.
/// <https://learn.microsoft.com/sql/relational-databases/system-stored-procedures/sp-getapplock-transact-sql#return-code-values>
pub(crate) fn granted(code: i32, refusal: &'static str) -> Result<bool, Error> {
    match code {
        // At once, or after others had released.
        0 | 1 => Ok(true),
        code::TIMED_OUT => Ok(false),
        // Somebody else ended the wait.
        -2 => Err(Error::Interrupted(None)),
        code::DEADLOCK => Err(Error::Deadlock(None)),
        code::HELD_MARKED | code::HELD => Err(Error::AlreadyHeld),
        // The session does not hold the name as it should.
        102 => Err(Error::Lost(None)),
        // There is no transaction, as the procedure would say.
        107 => Err(Error::Refused { code: code::REFUSED, meaning: refusal }),
        code::ELSEWHERE => Err(Error::Refused { code, meaning: ELSEWHERE }),
        code => Err(Error::Refused { code, meaning: refusal }),
    }
}

/// The code that a release was answered with.
pub(crate) fn released(code: i32) -> Result<bool, Error> {
    match code {
        0 => Ok(true),
        // Some servers say so of what is not held, with a warning and no error.
        code::REFUSED => Ok(false),
        // After it, the session holds the name still.
        104 => Err(Error::Lost(None)),
        code => Err(Error::Refused { code, meaning: NOT_RELEASED }),
    }
}

/// What an error of the driver's means for a lock, and whether the session lives on.
///
/// An error of the server's is the last thing of an answer that was read to its end; after any other
/// error nobody knows where the next answer begins.
pub(crate) fn failed(error: Native) -> Reply<Native> {
    let usable = !is_fatal(&error);
    Reply { answer: Err(meaning(error).into()), usable }
}

/// Whether the session ends with this error, or cannot be used after it.
pub(crate) fn is_fatal(error: &Native) -> bool {
    !matches!(error, Native::Server(said) if said.class() < FATAL)
}

/// Whether the server says that there was nothing to release.
pub(crate) fn is_not_held(error: &Native) -> bool {
    error.code() == Some(number::NOT_HELD)
}

/// A session that was killed hears so where it waits, and sees its connection closed where it does not,
/// and on some servers wherever it is.
fn meaning(error: Native) -> Error {
    match (&error, error.code()) {
        (_, Some(number::DEADLOCK)) => Error::Deadlock(Some(error)),
        (_, Some(number::NOT_HELD)) => Error::Lost(Some(error)),
        (_, Some(number::KILLED)) | (Native::Io { .. }, _) => Error::Interrupted(Some(error)),
        _ => Error::Driver(error),
    }
}

#[cfg(test)]
mod tests;
