//! The locks of whatever server the URL names.

use crate::status::{BUSY, Failure, LOST, USAGE, chain, of_key};
use crate::url::Url;
use dlock_db::{AnyError, AnyKey, AnyServer};
use dlock_locks::{Driver, Permit, UrlDriver};
use std::ops::Deref;
use std::time::Duration;
use tokio::time::timeout;

/// How long a farewell may take: the server sees the end of the process anyway.
pub(crate) const FAREWELL: Duration = Duration::from_secs(2);

/// Locks on the server.
pub(crate) type Locks = dlock_locks::Locks<AnyServer>;
/// A lock that is held.
pub(crate) type Held = dlock_locks::Held<AnyServer>;
/// Who holds or waits.
pub(crate) type Holder = dlock_locks::Holder<AnyKey>;
/// Why a call did not do what it was asked to.
pub(crate) type Error = dlock_locks::Error<AnyError>;

/// Opens a session.
///
/// # Errors
/// Where the URL names no server, or the server did not let anybody in.
pub(crate) async fn open(url: &Url, name: &str, lease: Duration) -> Result<Locks, Failure> {
    let builder = Locks::builder(server(url)?).lease(lease).name(name);
    builder.connect().await.map_err(|error| failure(url, &error, BUSY))
}

/// The same, of which nothing is opened yet.
///
/// # Errors
/// Where the URL names no server.
pub(crate) fn later(url: &Url, name: &str) -> Result<Locks, Failure> {
    let built = Locks::builder(server(url)?).name(name).build();
    built.map_err(|error| failure(url, &error, BUSY))
}

/// Refuses a key or a number of permits that cannot be, before any server is asked.
///
/// # Errors
/// Where it cannot be, or the URL names no server.
pub(crate) fn possible(url: &Url, key: &str, permits: Option<usize>) -> Result<(), Failure> {
    let accepted = server(url)?.accept(AnyKey::from(key)).map(drop);
    let error = match accepted {
        Err(error) => Error::Key(error),
        Ok(()) if permits == Some(0) => Error::NoPermits { key: key.to_owned() },
        Ok(()) => return Ok(()),
    };
    Err(failure(url, &error, BUSY))
}

/// Ends the sessions, where the server lets that be done soon.
pub(crate) async fn close(locks: &Locks) {
    // The server sees the end of the process anyway.
    let _ = timeout(FAREWELL, locks.close()).await;
}

fn server(url: &Url) -> Result<AnyServer, Failure> {
    let server = AnyServer::from_url(url.as_str());
    server.map_err(|error| Failure::new(USAGE, url.hide(&chain(&error))))
}

/// What an error means for whoever called `dlock`.
pub(crate) fn failure(url: &Url, error: &Error, busy: u8) -> Failure {
    match error {
        Error::TimedOut { .. } => Failure::new(busy, error.to_string()),
        Error::Lost(lost) => Failure::new(LOST, lost.to_string()),
        Error::Key(error) => Failure::new(USAGE, of_key(error)),
        Error::NoPermits { .. } | Error::TooManyKeys { .. } | Error::Conflict { .. } => {
            Failure::new(USAGE, error.to_string())
        }
        Error::Driver { source, .. } if matches!(**source, AnyError::Unsupported { .. }) => {
            Failure::new(USAGE, source.to_string())
        }
        error => url.failure(&chain(error)),
    }
}

/// What is held while a command runs.
pub(crate) enum Grant {
    Lock(Held),
    Permit(Permit<AnyServer>),
}

impl Grant {
    pub(crate) async fn release(self) -> Result<(), Error> {
        match self {
            Self::Lock(held) => held.release().await,
            Self::Permit(permit) => permit.release().await,
        }
    }
}

impl Deref for Grant {
    type Target = Held;

    fn deref(&self) -> &Held {
        match self {
            Self::Lock(held) => held,
            Self::Permit(permit) => permit,
        }
    }
}
