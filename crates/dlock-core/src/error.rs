use std::convert::Infallible;
use std::error;

/// Why a call on a lock did not do what it was asked to.
///
/// `E` is the native driver's error; `source()` keeps it where there was one.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error<E> {
    /// The wait ran out; this session does not hold the key.
    #[error("the wait ran out while the key was held elsewhere; wait longer or try again later")]
    TimedOut,
    /// This lock object is locked already.
    #[error("this lock is locked already; release it before acquiring it again")]
    AlreadyLocked,
    /// This lock object is not locked.
    #[error("this lock is not locked, so there is nothing to release")]
    NotLocked,
    /// Another lock object holds, or waits for, the key over the same session.
    #[error(
        "this session already holds or awaits the key through another lock; use one session per lock"
    )]
    AlreadyHeld,
    /// The lock is not in the mode that this call starts from.
    #[error("this lock is not in the mode that this call starts from; see how it was built")]
    WrongMode,
    /// The session behind this lock has ended or may no longer be used.
    #[error("the session behind this lock has ended; make a new lock over a new session")]
    Closed,
    /// The key cannot name a lock on this server.
    #[error("the key cannot name a lock on this server")]
    Key(#[from] KeyError),
    /// The server ended a deadlock by refusing this wait; what this session held before it still holds.
    #[error(
        "the server found a deadlock and refused this wait; release what you hold and try again"
    )]
    Deadlock(#[source] Option<E>),
    /// The session turned out not to hold the key, or ended while it held it.
    #[error(
        "the lock was lost; others may have held the key since, so check the work it protected"
    )]
    Lost(#[source] Option<E>),
    /// The call was killed or cancelled by someone else, or the server went silent.
    #[error(
        "the call was interrupted from outside, or the server is silent; try again, or close the lock"
    )]
    Interrupted(#[source] Option<E>),
    /// The server refused with a code of its own.
    #[error("the server refused with code {code}: {meaning}")]
    Refused {
        /// The server's return code, or its SQLSTATE read as a number.
        code: i32,
        /// What the code means, and what to do.
        meaning: &'static str,
    },
    /// Something about the installation has to change first.
    #[error("{advice}")]
    Setup {
        /// One sentence on what to do.
        advice: &'static str,
        /// What the driver said.
        source: Option<E>,
    },
    /// Any other error of the native driver.
    #[error("the database driver failed; its own error says why")]
    Driver(#[source] E),
}

/// Why a key cannot name a lock, with the limit and what was given.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The server has no lock without a name.
    #[error("the key is empty, and this server needs at least one character")]
    Empty,
    /// The key is longer than the server compares.
    #[error(
        "the key has {given} {unit}, and this server compares at most {limit}; use `Key::hashed`"
    )]
    TooLong {
        /// How long the key is.
        given: usize,
        /// How long it may be.
        limit: usize,
        /// What is counted, in the plural.
        unit: &'static str,
    },
    /// The key has a character that the server cannot take in a name.
    #[error(
        "the key has {character:?} at character {position}, which this server does not take; use `Key::hashed`"
    )]
    Character {
        /// The character.
        character: char,
        /// Where it stands, counted in characters from 0.
        position: usize,
    },
    /// The bytes are not UTF-8, and this server's names are text.
    #[error("the key is not UTF-8, and this server's lock names are text; use `Key::convert`")]
    NotUtf8(#[from] std::str::Utf8Error),
    /// The number is outside what the server can tell apart.
    #[error("the key {given} is outside {min}..={max}")]
    OutOfRange {
        /// The number given.
        given: i128,
        /// The smallest number the server takes.
        min: i128,
        /// The largest number the server takes.
        max: i128,
    },
    /// The caller's own mapping failed.
    #[error("the key's own mapping failed")]
    Mapping(#[source] Box<dyn error::Error + Send + Sync>),
}

impl From<Infallible> for KeyError {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

impl<E> Error<E> {
    /// The native driver's error behind this one, where there was one.
    pub fn driver(&self) -> Option<&E> {
        match self {
            Error::Deadlock(source) | Error::Lost(source) | Error::Interrupted(source) => {
                source.as_ref()
            }
            Error::Setup { source, .. } => source.as_ref(),
            Error::Driver(source) => Some(source),
            _ => None,
        }
    }

    /// The same error with what this makes of the native driver's.
    ///
    /// ```
    /// use dlock_db::Error;
    ///
    /// let error: Error<std::fmt::Error> = Error::Driver(std::fmt::Error);
    /// let error: Error<std::io::Error> = error.map_driver(std::io::Error::other);
    /// assert!(matches!(error, Error::Driver(_)));
    /// ```
    pub fn map_driver<F>(self, map: impl FnOnce(E) -> F) -> Error<F> {
        match self {
            Error::TimedOut => Error::TimedOut,
            Error::AlreadyLocked => Error::AlreadyLocked,
            Error::NotLocked => Error::NotLocked,
            Error::AlreadyHeld => Error::AlreadyHeld,
            Error::WrongMode => Error::WrongMode,
            Error::Closed => Error::Closed,
            Error::Key(error) => Error::Key(error),
            Error::Deadlock(source) => Error::Deadlock(source.map(map)),
            Error::Lost(source) => Error::Lost(source.map(map)),
            Error::Interrupted(source) => Error::Interrupted(source.map(map)),
            Error::Refused { code, meaning } => Error::Refused { code, meaning },
            Error::Setup { advice, source } => Error::Setup { advice, source: source.map(map) },
            Error::Driver(source) => Error::Driver(map(source)),
        }
    }

    /// What kind of error it is, in the words of a trace.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Error::TimedOut => "timed_out",
            Error::AlreadyLocked => "already_locked",
            Error::NotLocked => "not_locked",
            Error::AlreadyHeld => "already_held",
            Error::WrongMode => "wrong_mode",
            Error::Closed => "closed",
            Error::Key(_) => "key",
            Error::Deadlock(_) => "deadlock",
            Error::Lost(_) => "lost",
            Error::Interrupted(_) => "interrupted",
            Error::Refused { .. } => "refused",
            Error::Setup { .. } => "setup",
            Error::Driver(_) => "driver",
        }
    }

    /// The same error seen as a loss: what a failed release on a dead session means.
    pub(crate) fn into_lost(self) -> Self {
        match self {
            Error::Deadlock(source) | Error::Lost(source) | Error::Interrupted(source) => {
                Error::Lost(source)
            }
            Error::Setup { source, .. } => Error::Lost(source),
            Error::Driver(source) => Error::Lost(Some(source)),
            _ => Error::Lost(None),
        }
    }
}
