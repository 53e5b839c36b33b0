//! What only some servers can do, or some drivers take.

use crate::driver::{Driver, SessionOptions};
use crate::{Finding, Holder, Mode};
use dlock_core::{Error, Lock, OwnedGuard, RawLock, RawUnlock};
use std::future::Future;
use std::time::Duration;

/// A server that has a shared mode.
pub trait SharedDriver: Driver {}

/// A server that has an update mode: one may hold it beside shared ones, and go on to exclusive.
pub trait UpdateDriver: SharedDriver {}

/// A server whose holds may change their modes.
pub trait ModesDriver: SharedDriver {}

/// A server that takes modes by this type: [`Request::mode`](crate::Request::mode). One whose holds may change
/// their modes takes all that is a [`Mode`].
pub trait ModeDriver<M: Into<Mode>>: Driver {
    /// Whether what is asked for like this may be converted, for which it needs a session to itself.
    const CONVERTS: bool;
}

impl<D: ModesDriver, M: Into<Mode>> ModeDriver<M> for D {
    const CONVERTS: bool = true;
}

/// A driver that takes a URL.
pub trait UrlDriver: Driver + Sized {
    /// The server that a URL names. Nothing is opened yet.
    ///
    /// # Errors
    /// What it cannot make of the URL, in one sentence that does not show its password.
    fn from_url(url: &str) -> Result<Self, Self::Error>;
}

/// A driver that takes a connector for TLS.
pub trait TlsDriver<C>: Driver {
    /// The same server, by this connector.
    #[must_use]
    fn with_tls(self, connector: C) -> Self;
}

/// A server on which a transaction can refuse to go on for a holder that has lost its key.
pub trait FencedDriver: Driver {
    /// The statements that make the two tables.
    const DDL: &'static str;

    /// Makes the tables where they are not there.
    fn setup(session: &Self::Session) -> impl Future<Output = Result<(), Self::Error>>;
}

/// A connection of the user's on which fenced transactions may begin.
pub trait FencedConnection<D: FencedDriver>: Send {
    /// A transaction of the native driver's.
    type Transaction<'c>
    where
        Self: 'c;

    /// Begins a transaction whose first statement is the fence. `None`: refused, and rolled back. The server
    /// ends a transaction that was idle for this long, where it has such a limit.
    fn begin<'c>(
        &'c mut self,
        key: &D::Key,
        token: u64,
        idle: Duration,
    ) -> impl Future<Output = Result<Option<Self::Transaction<'c>>, D::Error>> + Send;
}

/// A server that tells who holds and who waits.
pub trait InspectDriver: Driver {
    /// Who holds and who waits: for any key, or for this one. What the session's user may not see is said
    /// in a [`Holder`] without names.
    fn holders(
        session: &Self::Session,
        key: Option<&Self::Key>,
    ) -> impl Future<Output = Result<Vec<Holder<Self::Key>>, Self::Error>>;

    /// Ends the session of this number, and completes when the server has let go. `false`: there is none.
    fn end_session(
        session: &Self::Session,
        number: &str,
    ) -> impl Future<Output = Result<bool, Self::Error>>;

    /// Looks for what would make locks lie on this server. It changes nothing, and takes only keys of its
    /// own.
    fn check(
        &self,
        options: &SessionOptions,
    ) -> impl Future<Output = Result<Vec<Finding>, Self::Error>>;
}

/// A lock of a driver's own that has a session to itself, and what is known of that session.
pub type Opened<D> = (Lock<<D as AloneDriver>::Lock>, <D as AloneDriver>::Number);

/// A driver whose own [`Lock`] may have a session to itself: [`Request::alone`](crate::Request::alone).
pub trait AloneDriver: Driver {
    /// The driver's own lock, over a session that it owns.
    type Lock: RawUnlock<Key = Self::Key> + 'static;
    /// What is known of the session beside the lock, for [`abort`](Self::abort): the server's number for it,
    /// or nothing.
    type Number: Send + Sync + 'static;

    /// Opens a session of this name in the caller's runtime, without a lease, and makes a lock over it that
    /// is not held yet. Dropped, nothing stays open. It is given up after ten seconds.
    fn alone(
        &self,
        name: &str,
        key: Self::Key,
        mode: Mode,
    ) -> impl Future<Output = Result<Opened<Self>, Self::Error>> + Send;

    /// Ends the session of a held lock and whatever runs on it, and completes when the server has let go:
    /// by [`OwnedGuard::abort`], or by the number over a second connection.
    fn abort(
        &self,
        guard: OwnedGuard<Self::Lock>,
        number: Self::Number,
    ) -> impl Future<Output = Result<(), Error<<Self::Lock as RawLock>::Error>>> + Send;
}
