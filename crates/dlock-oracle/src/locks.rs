//! The driver of [`Locks`]: sessions of its own, each with a thread.

mod alone;
mod caller;
mod check;
mod inspect;
mod session;
mod statement;
mod url;

pub use session::ServerSession;

use crate::{Error, Key};
use caller::Caller;
use dlock_core::KeyError;
use dlock_locks::{Driver, ModesDriver, SessionOptions, SharedDriver, UrlDriver};
use oracle::pool::Pool;
use oracle::{Connection, Connector};
use std::fmt;
use std::time::Duration;

/// Locks that own their sessions.
///
/// **There is no lease, and [`trusted_for`](Held::trusted_for) is always `None`**: a session of Oracle's cannot set
/// itself an idle limit. A machine that vanished keeps its keys until the server notices (`SQLNET.EXPIRE_TIME`).
///
/// What [`lease`](LocksBuilder::lease) sets is how long a silent server is waited for; pings go out three times
/// as often, and one of them tells of a session that was killed. A connection that was closed is told within 50
/// milliseconds where the client library looks at its socket (12.2 and newer).
///
/// A wait lasts whole seconds in the server's queue: who gives up is told in time, and leaves the queue up to
/// a second later. It is one slice of a second at a time; a writer that waits keeps later readers of every
/// `Locks` behind it by a second key, its turnstile. No two of Oracle's six modes make an update mode: ask for
/// one of them by [`mode`](Request::mode), and [`convert`](Held::convert) it.
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use dlock_db::oracle::{Locks, Mode};
///
/// let locks = Locks::connect("oracle://app:secret@db:1521/orders").await?;
/// let held = locks.lock("invoice:42").await?;
/// // … critical section …
/// held.release().await?;
///
/// let held = locks.key("stock")?.mode(Mode::SX).lock().await?;
/// let (held, is_alone) = held.convert(Mode::X, std::time::Duration::from_secs(2)).await?;
/// # Ok(())
/// # }
/// ```
#[doc(alias = "DBMS_LOCK")]
pub type Locks = dlock_locks::Locks<Server>;

/// Settings of [`Locks`].
pub type LocksBuilder = dlock_locks::LocksBuilder<Server>;

/// A lock of [`Locks`] that is held.
pub type Held = dlock_locks::Held<Server>;

/// A request for a key, to be refined.
///
/// This page shows the calls of all servers. Of them this one has not `update` and `fenced`.
pub type Request = dlock_locks::Request<Server>;

/// A request for a key on a session of the lock's own, for work that is to end with the lock.
pub type Alone = dlock_locks::Alone<Server>;

/// A request for several keys: all of them or none.
pub type All = dlock_locks::All<Server>;

/// A lock with a session of its own, which it lends.
pub type HeldAlone = dlock_locks::HeldAlone<Server>;

/// How a lock of [`Locks`] is held.
pub type HeldMode = dlock_locks::Mode;

/// Who holds a key, or waits for it.
pub type Holder = dlock_locks::Holder<Key>;

/// Why a call on [`Locks`] did not do what it was asked to.
pub type LocksError = dlock_locks::Error<ServerError>;

/// A permit of a [`Semaphore`].
pub type Permit = dlock_locks::Permit<Server>;

/// So many at a time, in all processes together.
pub type Semaphore = dlock_locks::Semaphore<Server>;

/// One's turn to lead.
pub type Term = dlock_locks::Term<Server>;

/// Why a session of [`Locks`] could not do what it was asked to.
pub type ServerError = Error;

/// A database to open sessions on.
///
/// Made of a [`Connector`], or of a [`Pool`] that has sessions to spare: one for the keys that are free, and one
/// for each that is waited for. A session never goes back to the pool.
///
/// ```no_run
/// use dlock_db::oracle::{Locks, oracle::Connector};
///
/// # fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let connector = Connector::new("app", "secret", "db:1521/orders");
/// let locks = Locks::builder(connector).name("billing").build()?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Server(Source);

#[derive(Clone)]
enum Source {
    Connector(Connector),
    Pool(Pool),
}

impl Server {
    fn connect(&self) -> oracle::Result<Connection> {
        match &self.0 {
            Source::Connector(connector) => connector.connect(),
            Source::Pool(pool) => pool.get(),
        }
    }
}

impl From<Connector> for Server {
    fn from(connector: Connector) -> Self {
        Self(Source::Connector(connector))
    }
}

impl From<Pool> for Server {
    fn from(pool: Pool) -> Self {
        Self(Source::Pool(pool))
    }
}

impl Driver for Server {
    type Key = Key;
    type Error = ServerError;
    type Session = ServerSession;

    const SYSTEM: &'static str = "oracle.db";

    /// One second, since the server counts time-outs in whole seconds: a fraction that is taken off by
    /// chance is rounded up to it again.
    ///
    /// It is below the server's own look for deadlocks, said to be after 3 seconds. That would be seen in
    /// vain: no two keys that are waited for are on one session.
    fn slice(_waited: Duration) -> Duration {
        Duration::from_secs(1)
    }

    fn derive(key: &Key, label: &str) -> Key {
        key.derived(label)
    }

    fn turnstile(key: &Key) -> Option<Key> {
        Some(key.derived("turnstile"))
    }

    /// What others have got of `ALLOCATE_UNIQUE` can be looked at, but not locked by its number.
    fn accept(&self, key: Key) -> Result<Key, KeyError> {
        Key::try_from(key.id()).map(|_| key)
    }

    fn advice(error: &Error) -> Option<String> {
        match error {
            Error::Setup { advice, .. } => Some((*advice).to_owned()),
            _ => None,
        }
    }

    async fn open(&self, options: &SessionOptions) -> Result<ServerSession, ServerError> {
        let server = self.clone();
        let caller = Caller::start(move || server.connect()).await?;
        ServerSession::begin(caller, options).await
    }
}

impl SharedDriver for Server {}

/// Oracle has no update mode: what may go on to exclusive and stands beside the shared mode.
impl ModesDriver for Server {}

impl UrlDriver for Server {
    /// `oracle://user:password@host:port/service`, its user and password percent-encoded where need be, or
    /// `user/password@connect-string` as Oracle's own tools take it. Without both, a wallet knows them.
    fn from_url(url: &str) -> Result<Self, ServerError> {
        url::connector(url).map(Self::from)
    }
}

impl fmt::Debug for Server {
    /// Without the connector: it has the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Source::Connector(_) => "Server(Connector)",
            Source::Pool(_) => "Server(Pool)",
        })
    }
}
