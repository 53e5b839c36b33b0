use crate::driver::Driver;
use crate::input::Refused;
use crate::{Lost, LostReason, Mode};
use dlock_core::KeyError;
use std::error;
use std::sync::Arc;

/// Why a call did not do what it was asked to, and about which key.
///
/// `E` is the native driver's error, shared where it concerns many calls.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error<E> {
    /// The wait ran out; the key is not held.
    #[error(
        "the wait for {key} ran out while it was held {}; wait longer or try again later",
        holder.as_ref().map_or_else(|| "elsewhere".to_owned(), |who| format!("by {who}"))
    )]
    TimedOut {
        /// The key.
        key: String,
        /// Who held it then: its session and what is known of it, where
        /// [`name_holders`](crate::LocksBuilder::name_holders) was asked for.
        holder: Option<Box<str>>,
    },
    /// The lock was lost.
    #[error(transparent)]
    Lost(#[from] Lost),
    /// The key cannot name a lock on this server.
    #[error("the key cannot name a lock on this server")]
    Key(#[from] KeyError),
    /// Several keys were asked for, and there was none.
    #[error("there is no key among those that were asked for")]
    NoKeys,
    /// A semaphore without permits was asked for.
    #[error("the semaphore {key} must have a permit at least")]
    NoPermits {
        /// Its name.
        key: String,
    },
    /// A semaphore of this name and another number of permits is in use.
    #[error("the semaphore {key} has {others} permits here, not {permits}; agree on one number")]
    OtherPermits {
        /// Its name.
        key: String,
        /// How many were asked for.
        permits: usize,
        /// How many it has.
        others: usize,
    },
    /// As many keys are held or asked for as are allowed.
    #[error("no more keys may be held at a time, so {key} was not asked for; raise `max_keys`")]
    TooManyKeys {
        /// The key.
        key: String,
    },
    /// Every session that is allowed holds a key that was waited for, so that none can wait for this one.
    #[error(
        "each session that is allowed holds a key for long, so that none waits for {key}; raise `max_waiting`"
    )]
    TooManySessions {
        /// The key.
        key: String,
    },
    /// No session could be opened.
    #[error("no session could be opened to ask for {key}")]
    NoSession {
        /// The key.
        key: String,
        /// What the driver said; `None` where nothing answered within ten seconds.
        source: Option<Arc<E>>,
    },
    /// No session could be opened to begin with.
    #[error("no session could be opened")]
    NotConnected {
        /// What the driver said; `None` where nothing answered within ten seconds.
        source: Option<Arc<E>>,
    },
    /// The server said an error each time it was asked.
    #[error("the server could not be asked for {key}; the driver's own error says why")]
    Driver {
        /// The key.
        key: String,
        /// What the driver said.
        source: Arc<E>,
    },
    /// Something is missing on the server: a table, a grant.
    #[error("{advice}")]
    Setup {
        /// What to do, in one sentence. Where the tables of fences are missing, the statements that make them
        /// are in it.
        advice: String,
        /// What the driver said.
        source: Arc<E>,
    },
    /// A session was opened, and what was asked of it, which concerns no key alone, failed.
    #[error("the server was asked, and a statement failed; the driver's own error says why")]
    Statement {
        /// What the driver said.
        source: Arc<E>,
    },
    /// What was asked for excludes itself.
    #[error(
        "{key} was asked for fenced and {other}; a fenced lock is exclusive and lends no session, so leave one \
         of the two out"
    )]
    Conflict {
        /// The key.
        key: String,
        /// What a fence cannot be together with, such as `in shared mode` or `alone`.
        other: String,
    },
    /// The lock is not held in the mode that this needs.
    #[error("{key} is held in {mode} mode; ask for it in update mode to upgrade it")]
    WrongMode {
        /// The key.
        key: String,
        /// How it was held.
        mode: Mode,
    },
    /// The lock has no fence, behind which a transaction could begin.
    #[error("{key} is held without a fence; ask for it with `fenced`")]
    NotFenced {
        /// The key.
        key: String,
    },
    /// The driver's own lock, on a session to [itself](crate::Request::alone), failed.
    #[error("the lock on {key}, which has a session to itself, failed; its own error says why")]
    Alone {
        /// The key.
        key: String,
        /// A [`dlock_core::Error`] of the native driver's error.
        source: Box<dyn error::Error + Send + Sync>,
    },
    /// The factory was closed.
    #[error("these locks were closed; make new ones")]
    Closed,
    /// The thread for the sessions could not be started.
    #[error("the thread for the sessions could not be started")]
    Thread(#[source] std::io::Error),
}

impl<E> Error<E> {
    /// What a driver's own lock said.
    pub(crate) fn alone<N>(key: String, error: dlock_core::Error<N>) -> Self
    where
        N: error::Error + Send + Sync + 'static,
    {
        match error {
            dlock_core::Error::TimedOut => Error::TimedOut { key, holder: None },
            dlock_core::Error::Lost(_) => Error::Lost(Lost::new(key, LostReason::SessionEnded)),
            error => Error::Alone { key, source: Box::new(error) },
        }
    }

    /// What a driver said to a statement about a key.
    pub(crate) fn failed<D: Driver<Error = E>>(key: String, source: Arc<E>) -> Self {
        match D::advice(&source) {
            Some(advice) => Error::Setup { advice, source },
            None => Error::Driver { key, source },
        }
    }

    /// What a driver said to a statement about no key alone.
    pub(crate) fn statement<D: Driver<Error = E>>(error: E) -> Self {
        let source = Arc::new(error);
        match D::advice(&source) {
            Some(advice) => Error::Setup { advice, source },
            None => Error::Statement { source },
        }
    }

    pub(crate) fn refused<D: Driver<Error = E>>(key: &D::Key, refused: Refused<D>) -> Self {
        use crate::model::Refusal;
        let key = key.to_string();
        match refused {
            Refusal::TimedOut => Error::TimedOut { key, holder: None },
            Refusal::TooManyKeys => Error::TooManyKeys { key },
            Refusal::TooManySessions => Error::TooManySessions { key },
            Refusal::NoSession(source) => Error::NoSession { key, source },
            Refusal::Failed(source) => Error::failed::<D>(key, source),
            Refusal::Closed => Error::Closed,
        }
    }
}
