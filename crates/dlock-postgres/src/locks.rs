//! Locks that own their sessions: the driver of [`dlock_locks`].

mod alone;
mod check;
mod connector;
mod error;
mod fence;
mod inspect;
mod parameter;
mod pooler;
mod server;
mod session;
mod statement;
#[cfg(feature = "rustls")]
mod tls;
mod turnstile;
mod url;

pub use error::ServerError;
pub use server::Server;
pub use session::ServerSession;

use crate::Key;

/// Locks that own their sessions.
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use dlock_postgres::Locks;
///
/// let locks = Locks::connect("postgres://app@db/app").await?;
/// let held = locks.lock("invoice:42").await?;
/// // … critical section …
/// held.release().await?;
/// # Ok(())
/// # }
/// ```
///
/// # URLs
///
/// `connect` takes what libpq takes: `postgres://` and `postgresql://` URLs and `key=value` texts, several
/// hosts, `options`, `target_session_attrs` (a standby is refused), `connect_timeout` and the keepalives.
/// The host is `localhost` unless said. `application_name` is what [`LocksBuilder::name`] is otherwise.
/// Of several hosts the one that takes writes is chosen.
///
/// TLS needs the feature `rustls`, and is as in libpq: `prefer` (unless said) and `require` encrypt and do
/// not look at the certificate, `verify-ca` does, and `verify-full` looks at the name in it too.
/// `sslrootcert` names a file of authorities; those of the system are trusted otherwise, and then
/// `verify-ca` looks at the name as well. With `sslrootcert`, `require` is `verify-ca`. Client certificates
/// go by way of `builder(config).tls(connector)`. Without the feature, `prefer` does without TLS.
///
/// # A pooler in front
///
/// Whatever hands one session's statements to several server processes makes locks lie. It is found when a
/// session is opened, and refused: connect to the server itself.
pub type Locks = dlock_locks::Locks<Server>;

/// Settings of [`Locks`].
///
/// ```no_run
/// # fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use dlock_postgres::{Locks, tokio_postgres::Config};
/// use std::time::Duration;
///
/// let mut config = Config::new();
/// config.host("db").user("app").dbname("app");
/// let locks = Locks::builder(config).name("billing").lease(Duration::from_secs(5)).build()?;
/// # Ok(())
/// # }
/// ```
pub type LocksBuilder = dlock_locks::LocksBuilder<Server>;

/// A lock of [`Locks`] that is held.
pub type Held = dlock_locks::Held<Server>;

/// How a lock of [`Locks`] is held.
pub type HeldMode = dlock_locks::Mode;

/// A request for a key, to be refined.
pub type Request = dlock_locks::Request<Server>;

/// A request for a key on a session of the lock's own.
pub type Alone = dlock_locks::Alone<Server>;

/// A lock with a session of its own, which it lends.
pub type HeldAlone = dlock_locks::HeldAlone<Server>;

/// Who holds a key, or waits for it.
pub type Holder = dlock_locks::Holder<Key>;

/// Why a call on [`Locks`] did not do what it was asked to.
pub type LocksError = dlock_locks::Error<ServerError>;
