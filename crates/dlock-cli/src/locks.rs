//! The locks of whatever server the URL names.

use crate::status::{BUSY, Failure, LOST, USAGE, chain};
use crate::url::Url;
use dlock_locks::{Driver, UrlDriver};
use dlock_postgres::Server;
use std::time::Duration;

/// Locks on the server.
pub(crate) type Locks = dlock_locks::Locks<Server>;
/// A lock that is held.
pub(crate) type Held = dlock_locks::Held<Server>;
/// Why a call did not do what it was asked to.
pub(crate) type Error = dlock_locks::Error<<Server as Driver>::Error>;

/// Opens a session.
///
/// # Errors
/// Where the URL names no server, or the server did not let anybody in.
pub(crate) async fn open(url: &Url, name: &str, lease: Duration) -> Result<Locks, Failure> {
    let server = Server::from_url(url.as_str());
    let server = server.map_err(|error| Failure::new(USAGE, url.hide(&chain(&error))))?;
    let builder = Locks::builder(server).lease(lease).name(name).max_waiting(1);
    builder.connect().await.map_err(|error| failure(url, &error, BUSY))
}

/// What an error means for whoever called `dlock`.
pub(crate) fn failure(url: &Url, error: &Error, busy: u8) -> Failure {
    match error {
        Error::TimedOut { .. } => Failure::new(busy, error.to_string()),
        Error::Lost(lost) => Failure::new(LOST, lost.to_string()),
        Error::Key(error) => Failure::new(USAGE, chain(error)),
        error => url.failure(&chain(error)),
    }
}
