//! Oracle user locks (`DBMS_LOCK`) on [`oracle`], the driver over ODPI-C.
//!
//! [`Lock`] is held by the session until it is released, or the session ends. It takes the
//! [`Connection`] you have, owned or in an [`Arc`](std::sync::Arc), in any of the six [`Mode`]s.
//! The user needs `GRANT EXECUTE ON SYS.DBMS_LOCK`, and the machine an Oracle client library.
//!
//! # Blocking calls in an async world
//!
//! The driver blocks. Every connection with a lock has one plain thread that makes the calls of all
//! locks over it, in turn, and no thread of the runtime ever waits: a runtime can shut down while a
//! lock waits. One session waits for one lock at a time, and everything else on it, a release too,
//! waits behind, for one slice of 5 seconds at most. Two locks that must wait independently need two
//! sessions.
//!
//! # How a wait is kept exact
//!
//! `DBMS_LOCK` counts whole seconds, and cannot be interrupted where breaks are lost on the way. So
//! a wait queues in the server in slices of 5 seconds, which outlast its own look for deadlocks, and
//! each slice joins the queue anew. What is left of a second is tried inside the server every 10
//! milliseconds: a wait ends at its time, 20 milliseconds late at most, and never early.
//!
//! # Dropped waits
//!
//! A dropped wait sends a break. Where the server does not hear it the wait ends with its slice.
//! Either way a lock that was granted after all is released at once.
//!
//! A break ends whatever call the connection is making. Over an `Arc<Connection>`, run no statement
//! of your own from another thread while a lock waits on that connection.

mod acquire;
mod answer;
mod key;
mod mode;
mod release;
mod session;
mod statement;
mod user;
mod worker;

pub use answer::explain;
pub use key::Key;
pub use mode::Mode;
pub use oracle;
pub use session::Share;
pub use user::User;

use oracle::Connection;

/// A lock held by the session `S`: a `Connection` or an `Arc<Connection>`.
///
/// ```no_run
/// # async fn example(connection: oracle::Connection) -> Result<(), dlock_oracle::Error> {
/// use dlock_oracle::Lock;
///
/// let mut lock = Lock::new(connection, "invoice:42")?;
/// let guard = lock.lock().await?;
/// // … critical section …
/// guard.release().await?;
/// # Ok(())
/// # }
/// ```
pub type Lock<S = Connection> = dlock_core::Lock<User<S>>;

/// A held [`Lock`], borrowed.
pub type Guard<'a, S = Connection> = dlock_core::Guard<'a, User<S>>;

/// A held [`Lock`] that owns its lock.
pub type OwnedGuard<S = Connection> = dlock_core::OwnedGuard<User<S>>;

/// Why a call on a lock did not do what it was asked to.
pub type Error = dlock_core::Error<oracle::Error>;

/// Tags this driver's sessions for `dlock_core::lock`.
#[derive(Debug)]
pub enum Oracle {}
