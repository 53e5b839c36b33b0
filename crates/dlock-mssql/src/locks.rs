//! Locks that own their sessions: the driver of [`dlock_locks`].

mod alone;
mod check;
mod error;
mod holder;
mod inspect;
mod kill;
mod server;
mod session;
mod url;
mod wire;

pub use alone::Watched;
pub use error::ServerError;
pub use server::Server;
pub use session::ServerSession;
pub use wire::Wire;

use crate::Key;

/// Locks that own their sessions.
///
/// SQL Server has no idle limit that a session can set: a [`Held`] has no trusted time
/// ([`trusted_for`](dlock_locks::Held::trusted_for) is `None`). A connection that is closed or killed is told
/// within 50 milliseconds; a silent network when a ping stays unanswered, and the server may have given the
/// key away before.
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use dlock_db::mssql::Locks;
///
/// let locks = Locks::connect("mssql://app:secret@db:1433/billing").await?;
/// let held = locks.lock("invoice:42").await?;
/// // … critical section …
/// held.release().await?;
/// # Ok(())
/// # }
/// ```
#[doc(alias = "sp_getapplock")]
#[doc(alias = "sp_releaseapplock")]
pub type Locks = dlock_locks::Locks<Server>;

/// Settings of [`Locks`].
pub type LocksBuilder = dlock_locks::LocksBuilder<Server>;

/// A request for a key, to be refined.
///
/// This page shows the calls of all servers. Of them this one has not `fenced`, and `mode` takes a [`Mode`](crate::Mode).
pub type Request = dlock_locks::Request<Server>;

/// A lock of [`Locks`] that is held.
pub type Held = dlock_locks::Held<Server>;

/// A lock of [`Locks`] that is held on a session of its own, which it lends.
pub type HeldAlone = dlock_locks::HeldAlone<Server>;

/// A request for a key on a session of the lock's own, for work that is to end with the lock.
pub type Alone = dlock_locks::Alone<Server>;

/// A request for several keys: all of them or none.
pub type All = dlock_locks::All<Server>;

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
