//! The driver of [`Locks`]: sessions of its own, with a lease.

mod alone;
mod batch;
mod check;
mod fence;
mod inspect;
mod prepared;
mod server;
mod session;
mod url;

pub use server::Server;
pub use session::ServerSession;

use crate::{Error, Key};

/// Locks that own their sessions.
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use dlock_db::mysql::Locks;
///
/// let locks = Locks::connect("mysql://app@db/app").await?;
/// let held = locks.lock("invoice:42").await?;
/// // … critical section …
/// held.release().await?;
/// # Ok(())
/// # }
/// ```
///
/// A session that ends is told at the next ping, a third of the lease later at most: the driver cannot see it
/// sooner. The lease is `wait_timeout`, in whole seconds, rounded up.
///
/// Deadlocks are not seen: give waits a deadline. A key of another spelling that is the same to MySQL (`Job`
/// and `job`) excludes its twin, but waits for it in a queue of its own.
///
/// Of the [`Opts`](mysql_async::Opts), what is run on a new connection (`init`, `setup`, `after_connect`) is not
/// run, and no other socket is preferred to the address that is given.
#[doc(alias = "GET_LOCK")]
#[doc(alias = "RELEASE_LOCK")]
pub type Locks = dlock_locks::Locks<Server>;

/// Settings of [`Locks`].
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use dlock_db::mysql::{Locks, mysql_async::OptsBuilder};
///
/// let opts = OptsBuilder::default().ip_or_hostname("db").user(Some("app"));
/// let locks = Locks::builder(opts).name("billing").connect().await?;
/// # Ok(())
/// # }
/// ```
pub type LocksBuilder = dlock_locks::LocksBuilder<Server>;

/// A lock of [`Locks`] that is held.
pub type Held = dlock_locks::Held<Server>;

/// A request of [`Locks`] for a key.
///
/// This page shows the calls of all servers. Of them this one has not `shared`, `update` and `mode`.
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
