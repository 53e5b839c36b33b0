//! MySQL and MariaDB named locks (`GET_LOCK`) on [`mysql_async`].
//!
//! [`Locks`] opens sessions of its own, for any number of keys; what follows is about [`Lock`], which is held
//! by a connection, until it is released or the connection ends. Acquiring a free key is one round trip, and so
//! is releasing. MySQL from 5.7.5 and MariaDB from 10.0.2 on: a session of an older
//! one frees its first named lock with the second, and is refused ([`Setup`](dlock_core::Error::Setup)).
//!
//! A lock's statements outlast the session's own limits on statements, and refuse a key that its session
//! holds already. For that a session which you may have had is first asked without a wait, so that a wait
//! there takes one round trip more.
//!
//! [`Lock::prepared`](dlock_core::Lock::prepared), over an owned connection, has the driver prepare what a
//! lock says again, so that the server need not parse it each time: two statements, from the third use in a
//! row with the same wait on, for one round trip more each. A wait of another length is sent as a text. The
//! driver keeps them with the connection's others (`Opts::stmt_cache_size`), for as long as it is not reset.
//! Where the driver or the server keeps no statements, texts are sent.
//!
//! # Which connection should you give it?
//!
//! * An owned [`Conn`], of a pool too: any future may be dropped anywhere. The lock lends the
//!   connection to you while it is held (`guard.session()`), and `into_session()` gives it back.
//! * `&mut Conn`, `&mut Transaction<'_>` or `&mut Connection<'_, '_>`, lent. A dropped wait or guard
//!   then leaves the *connection* unusable, possibly holding the key, until its owner drops it:
//!   prefer `with`, or release by hand, and an owned connection wherever futures may be dropped.
//!
//! COMMIT and ROLLBACK do not free a named lock; resetting the connection does (`Conn::reset`,
//! `Conn::change_user`, and a pool when a connection goes back to it).
//!
//! # Names
//!
//! A name counts for the whole server, not for one schema. MySQL folds its case, MariaDB does not:
//! see [`Key`].
//!
//! # Dropped waits, and sessions that are ended
//!
//! A dropped wait on an owned connection is ended by `KILL QUERY` from a short-lived second connection, made
//! with the same [`Opts`](mysql_async::Opts), and the first one goes on. The server does not look at a
//! closed connection while a statement runs there, so where a session has to be ended, that is done by `KILL`
//! from such a connection, and believed only when the server knows the session no more: a guard that is
//! dropped or released while a statement of yours runs (you dropped its future), and `guard.abort()`, which
//! ends your statement with the session. Only a session is killed whose number the server has told over it,
//! so that a proxy that gives out numbers of its own does no harm; one that runs the statements of one
//! connection in several sessions is refused.
//!
//! Where a second connection cannot be had (`MAX_USER_CONNECTIONS 1`), the server drops a waiter within a
//! second of its connection's end; `close` and `abort` answer
//! [`Interrupted`](dlock_core::Error::Interrupted) until it is certain that the key is free, and may be
//! called again. It is tried again in the background, too.
//!
//! A guard that is dropped has sent its release before the drop returns, also on a runtime that nobody drives
//! any more, unless you left something for the driver to do first (the rest of a result, a dropped
//! [`Transaction`](mysql_async::Transaction)). A wait that is dropped needs a runtime that is driven to leave
//! the queue; with the runtime's end its connection is closed.

mod acquire;
mod answer;
mod claim;
mod key;
mod locks;
mod mode;
mod named;
mod release;
mod session;
mod statement;

pub use dlock_core::{KeyError, Wait};
pub use dlock_locks::{CancellationToken, Finding, Lost, LostReason, Severity, Stats};
pub use key::{Key, Limits};
pub use locks::{
    All, Alone, Held, HeldAlone, HeldMode, Holder, Locks, LocksBuilder, LocksError, Permit,
    Request, Semaphore, Server, ServerError, ServerSession, Term,
};
pub use mode::Mode;
#[doc(no_inline)]
pub use mysql_async;
pub use named::Named;
pub use release::ByKilling;
pub use session::{AsConn, Place};

use mysql_async::Conn;

/// A lock held by a connection.
///
/// ```no_run
/// # async fn example(conn: mysql_async::Conn) -> Result<(), dlock_db::mysql::Error> {
/// use dlock_db::mysql::Lock;
///
/// let mut lock = Lock::new(conn, "invoice:42")?;
/// let guard = lock.lock().await?;
/// // … critical section …
/// guard.release().await?;
/// let conn = lock.into_session().await?;
/// # drop(conn);
/// # Ok(())
/// # }
/// ```
///
/// `session()` gives the connection by `&mut`.
///
/// This page shows the calls of all servers. Of them this one has not `shared`, `update`, `upgrade`, `with_mode`, `convert`, `release_on_commit` and `slice`; `abort` and `prepared`
/// are for a connection that the lock owns.
#[doc(alias = "GET_LOCK")]
#[doc(alias = "RELEASE_LOCK")]
pub type Lock<S = Conn> = dlock_core::Lock<Named<S>>;

/// A held [`Lock`], borrowed.
pub type Guard<'a, S = Conn> = dlock_core::Guard<'a, Named<S>>;

/// A held [`Lock`] that owns its lock.
pub type OwnedGuard<S = Conn> = dlock_core::OwnedGuard<Named<S>>;

/// Why a call on a lock did not do what it was asked to.
pub type Error = dlock_core::Error<mysql_async::Error>;

/// Tags this driver's sessions for `dlock_core::lock`.
#[derive(Debug)]
pub enum Mysql {}
