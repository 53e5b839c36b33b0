//! Oracle user locks (`DBMS_LOCK`) on [`oracle`], the driver over ODPI-C.
//!
//! [`Lock`] is held by the session until it is released, or the session ends. It takes the
//! [`Connection`] you have, owned or in an [`Arc`](std::sync::Arc), in any of the six [`Mode`]s.
//! [`Locks`] opens sessions of its own, each of which holds many keys.
//! The user needs `GRANT EXECUTE ON SYS.DBMS_LOCK`, and the machine an Oracle client library.
//!
//! # Blocking calls in an async world
//!
//! The driver blocks. Every connection with a lock has one plain thread that makes the calls of all
//! locks over it, and no thread of the runtime waits for a statement: locks work on any runtime and on
//! none, and a runtime can shut down while a lock waits.
//!
//! # Several locks over one connection
//!
//! Tries, releases and the first slice of a wait go before every wait that goes on. The slice that runs
//! then is broken off, and has its turn afterwards; the break is answered before anything else is said,
//! so that it meets no other lock's call. Waits take turns, slice by slice, and end at their time
//! whatever waits in front. Where the server hears no break, what comes meanwhile goes after the slice
//! that runs. A wait that is broken off joins the server's queue anew: two locks that must wait
//! independently, or beside many short calls, need two sessions.
//!
//! # How a wait is kept exact
//!
//! `DBMS_LOCK` counts whole seconds, and cannot be interrupted where breaks are lost on the way. So
//! a wait queues in the server in slices of 4 seconds, which outlast its own look for deadlocks (said
//! to be after 3 seconds), and by chance up to a tenth more, in tries: so waiters do not come and go in
//! step. Each slice joins the queue anew. What is left of a second is tried inside the server every 10
//! milliseconds: a wait ends at its time, 20 milliseconds late at most, and never early.
//!
//! # Longer slices
//!
//! A writer among readers who overlap and each hold longer than a slice may never see the key free
//! while it stands in the queue, though there it would be served in order. Give it a
//! [`slice`](dlock_core::Lock::slice) that is longer than the reads, in whole seconds; where a real
//! cluster looks for deadlocks later than after 3 seconds, give all waits a longer one. The price is
//! paid where breaks are not heard: a dropped wait, and whatever else is to go over its connection,
//! waits as long. Slices below 4 seconds see no deadlock.
//!
//! # Dropped waits
//!
//! A dropped wait sends a break. Where the server does not hear it the wait ends with its slice.
//! Either way a lock that was granted after all is released at once.
//!
//! A break ends whatever call the connection is making. Over an `Arc<Connection>`, run no statement
//! of your own from another thread while a lock waits on that connection.
//!
//! # The end of a session
//!
//! `guard.abort()` breaks off whatever runs on the connection, a statement of the caller's too, closes
//! it, and returns when the server has answered. A pool does not get the session back (`CloseMode::Drop`).
//! A lock that cannot be let go of in the background ends its session in the same way; then, and after
//! a session that was lost, `close` says `Ok` only once the connection is closed. Where the network has
//! failed nobody answers: the server lets go when it notices, after `SQLNET.EXPIRE_TIME` at the latest.

mod acquire;
mod answer;
mod key;
mod locks;
mod mode;
mod release;
mod session;
mod statement;
mod user;

pub use answer::explain;
pub use dlock_core::{KeyError, Wait};
pub use dlock_locks::{CancellationToken, Finding, Lost, LostReason, Severity, Stats};
pub use key::Key;
pub use locks::{
    All, Alone, Held, HeldAlone, HeldMode, Holder, Locks, LocksBuilder, LocksError, Permit,
    Request, Semaphore, Server, ServerError, ServerSession, Term,
};
pub use mode::Mode;
#[doc(no_inline)]
pub use oracle;
pub use session::Share;
pub use user::User;

use oracle::Connection;

/// A lock held by the session `S`: a `Connection` or an `Arc<Connection>`.
///
/// ```no_run
/// # async fn example(connection: oracle::Connection) -> Result<(), dlock_db::oracle::Error> {
/// use dlock_db::oracle::Lock;
///
/// let mut lock = Lock::new(connection, "invoice:42")?;
/// let guard = lock.lock().await?;
/// // … critical section …
/// guard.release().await?;
/// # Ok(())
/// # }
/// ```
///
/// `session()` gives `&Connection`.
///
/// This page shows the calls of all servers. Of them this one has not `update`, `upgrade` and `prepared`.
#[doc(alias = "DBMS_LOCK")]
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
