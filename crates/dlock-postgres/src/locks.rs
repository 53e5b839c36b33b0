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
/// use dlock_db::postgres::Locks;
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
///
/// # Fences
///
/// A lock that was lost unnoticed (a kill, a clock that was set, a machine that stood still) is caught by the
/// transaction that it protects: the server refuses it once a later holder has the key.
///
/// ```no_run
/// # async fn example(locks: dlock_db::postgres::Locks, client: &mut tokio_postgres::Client)
/// # -> Result<(), Box<dyn std::error::Error>> {
/// locks.setup().await?; // once: two tables in `public`
/// let held = locks.key("invoice:42")?.fenced().lock().await?;
/// let transaction = held.begin(client).await?; // `Lost`, where somebody else holds the key by now
/// transaction.execute("UPDATE invoice SET paid = true WHERE id = 42", &[]).await?;
/// transaction.commit().await?;
/// # Ok(())
/// # }
/// ```
///
/// The tables are `public.dlock_bid` and `public.dlock_fence`, of the database that is locked in and written
/// to; [`FencedDriver::DDL`](dlock_locks::FencedDriver::DDL) makes them. Whoever raises and whoever begins
/// needs SELECT, INSERT and UPDATE on both. Before PostgreSQL 15 anybody may create tables in `public`: make
/// them before anybody else does. Rows are never deleted.
///
/// Who writes with another library says the fence as the first statement of a transaction, for
/// `held.key().number().to_string()`, and goes on only where there is a row, its first number is the lock's
/// `token()`, and the second is not higher:
///
/// ```sql
/// SELECT f.n, (SELECT b.n FROM public.dlock_bid b WHERE b.key = f.key)
///   FROM public.dlock_fence f WHERE f.key = $1 FOR SHARE OF f
/// ```
///
/// That holds at each isolation level; at REPEATABLE READ and SERIALIZABLE nothing may be read before it, and
/// error 40001 is a refusal. `SET LOCAL idle_in_transaction_session_timeout` in front of it bounds how long
/// a client that vanished stands in the way of the next holder; `begin` sets 30 seconds.
///
/// # What it cannot
///
/// The crate `dlock-locks` says it: deadlocks over several keys are not seen; a kill or a failover frees a key
/// before its holder is told. A fail-over to an asynchronous standby may forget the last raise of a fence.
/// Servers before PostgreSQL 14 have no lease, and before 12 are refused.
#[doc(alias = "advisory")]
#[doc(alias = "pg_advisory_lock")]
pub type Locks = dlock_locks::Locks<Server>;

/// Settings of [`Locks`].
///
/// ```no_run
/// # fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use dlock_db::postgres::{Locks, tokio_postgres::Config};
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
///
/// This page shows the calls of all servers. Of them this one has not `update` and `mode`.
pub type Request = dlock_locks::Request<Server>;

/// A request for a key on a session of the lock's own, for work that is to end with the lock.
///
/// ```no_run
/// # async fn example(locks: dlock_db::postgres::Locks) -> Result<(), Box<dyn std::error::Error>> {
/// let mut held = locks.key("report")?.alone().lock().await?;
/// let transaction = held.session().transaction().await?;
/// // … critical section …
/// transaction.commit().await?;
/// held.release().await?;
/// # Ok(())
/// # }
/// ```
pub type Alone = dlock_locks::Alone<Server>;

/// A lock with a session of its own, which it lends.
pub type HeldAlone = dlock_locks::HeldAlone<Server>;

/// Who holds a key, or waits for it.
pub type Holder = dlock_locks::Holder<Key>;

/// Why a call on [`Locks`] did not do what it was asked to.
pub type LocksError = dlock_locks::Error<ServerError>;

/// A request for several keys: all of them or none.
pub type All = dlock_locks::All<Server>;

/// A permit of a [`Semaphore`].
pub type Permit = dlock_locks::Permit<Server>;

/// So many at a time, in all processes together.
pub type Semaphore = dlock_locks::Semaphore<Server>;

/// One's turn to lead.
pub type Term = dlock_locks::Term<Server>;
