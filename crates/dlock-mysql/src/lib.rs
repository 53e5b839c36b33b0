//! MySQL and MariaDB named locks (`GET_LOCK`) on [`mysql_async`].
//!
//! [`Lock`] is held by a connection, until it is released or the connection ends. One code path serves
//! both servers; acquiring is one round trip, and so is releasing.
//!
//! A lock's statements fit both servers, refuse a key that its session holds already, and outlast the
//! session's own limits on statements. A lock that is used again and again while nobody asks for its
//! session comes to know which server that is, that it does not hold the key, and whether MariaDB has
//! a limit there. From then on it says only what is needed, until somebody asks for the session.
//!
//! [`Lock::prepared`](dlock_core::Lock::prepared), over an owned connection, has the driver prepare what a
//! lock says again, so that the server need not parse it each time: two statements, from the fourth use in a
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
//! # Dropped waits
//!
//! A dropped wait on an owned connection is ended by `KILL QUERY` from a short-lived second
//! connection, made with the same [`Opts`](mysql_async::Opts). Where that cannot be had, the
//! connection is closed, and the server drops the waiter within a second.

mod acquire;
mod answer;
mod cancel;
mod claim;
mod conn;
mod key;
mod known;
mod mode;
mod named;
mod prepared;
mod release;
mod texts;
mod unread;

pub use conn::{AsConn, Place};
pub use key::{Key, Limits};
pub use mode::Mode;
pub use mysql_async;
pub use named::Named;

use mysql_async::Conn;

/// A lock held by a connection.
///
/// ```no_run
/// # async fn example(conn: mysql_async::Conn) -> Result<(), dlock_mysql::Error> {
/// use dlock_mysql::Lock;
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
