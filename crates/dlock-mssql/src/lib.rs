//! SQL Server application locks (`sp_getapplock`) on [`tiberius`].
//!
//! # Which lock should you use?
//!
//! * [`Lock`] is held by the session, until it is released or the session ends.
//! * [`XactLock`] is held by the transaction that you have open, and freed by its end.
//!
//! Both have `.shared()` and `.update()`, see [`Mode`]; a [`Lock`] in update mode can `upgrade` to
//! exclusive. Acquiring is one round trip, and so is releasing.
//!
//! # Which session should you give it?
//!
//! * An owned [`Client`](tiberius::Client): any future may be dropped anywhere. The lock lends the
//!   client to you while it is held (`guard.session()`), and `into_session()` gives it back.
//! * [`Pooled`], an owned object of a pool: the same, and the object goes back to its pool clean or not
//!   at all.
//! * `&mut Client`, lent. A dropped wait leaves the server's queue at once, but its *client* refuses all
//!   later use, and may hold the key until its owner drops it; a dropped guard releases. Prefer `with`,
//!   or release by hand, and an owned client wherever futures may be dropped.
//!
//! # Dropped waits
//!
//! A dropped wait is cancelled on the server by an attention, at once, and the session goes on. Under
//! `SET XACT_ABORT ON` the server answers an attention by rolling back the transaction that is open.
//!
//! # What runs beside the lock
//!
//! While a statement of yours runs on the lock's session, whether you wait for it or dropped it, a
//! release waits behind it: the key stays held, and `close` says
//! [`Interrupted`](dlock_core::Error::Interrupted), until the statement is over. Nothing else would be
//! proof: a server may look at a closed connection only after it. There is no `abort`, for a client
//! cannot make a second connection: have an administrator `KILL` the session, or give the statement a
//! limit. Where the session is idle, or waits for the lock, to close the connection frees the key.
//!
//! After `USE other` a release still speaks of the database that the lock was acquired in, and
//! `upgrade` is refused until you go back. What you take by hand on the same session
//! (`EXEC sp_getapplock`) is yours: it is never released, and a lock on a name that is held so is
//! refused. Only where an upgrade is dropped beside such a hold the session ends, for nobody can tell
//! the two apart then.
//!
//! # Long waits
//!
//! tiberius gives a connection up when an answer takes longer than its `command_timeout`, which is 30
//! seconds by default. So waits are asked for in slices of 22.5 to 25 seconds, each of which joins the
//! server's queue anew. Exclusive waiters take turns all the same. A writer is overtaken at the end of
//! its slice by readers that came later: where readers overlap, and hold for longer than a slice, it may
//! wait for ever. Set `command_timeout(None)` then, and with
//! [`slice`](dlock_core::Lock::slice) a slice that is longer than the longest hold. A `command_timeout`
//! that is shorter than 30 seconds needs a shorter slice.
//!
//! # TLS
//!
//! This crate turns on no TLS of tiberius: add `rustls` or `native-tls` to the features of your own
//! dependency on it.
//!
//! # Names
//!
//! A name counts within the database of the session, and its case counts: see [`Key`].

mod acquire;
mod answer;
mod app;
mod key;
mod locks;
mod mode;
mod release;
mod request;
mod session;
mod statement;
mod xact;

pub use app::{App, InSession, Owner};
pub use dlock_core::{KeyError, Wait};
pub use dlock_locks::{CancellationToken, Finding, Lost, LostReason, Severity, Stats};
pub use key::{Key, Limits};
pub use locks::{
    All, Alone, Held, HeldAlone, HeldMode, Holder, Locks, LocksBuilder, LocksError, Permit,
    Request, Semaphore, Server, ServerError, ServerSession, Term, Watched, Wire,
};
pub use mode::Mode;
pub use session::{HasClient, Place, Pooled, Stream};
#[doc(no_inline)]
pub use tiberius;
pub use xact::{InTransaction, Xact};

/// A lock held by the session `S`: a `Client`, or a `&mut Client`.
///
/// ```no_run
/// # use dlock_db::mssql::Stream;
/// # async fn example<T: Stream + 'static>(client: dlock_db::mssql::tiberius::Client<T>)
/// # -> Result<(), dlock_db::mssql::Error> {
/// use dlock_db::mssql::Lock;
///
/// let mut lock = Lock::new(client, "invoice:42")?;
/// let guard = lock.lock().await?;
/// // … critical section …
/// guard.release().await?;
/// let client = lock.into_session().await?;
/// # drop(client);
/// # Ok(())
/// # }
/// ```
///
/// `session()` gives the client by `&mut`.
///
/// This page shows the calls of all servers. Of them this one has not `with_mode`, `convert`, `release_on_commit`, `prepared` and `abort`.
#[doc(alias = "sp_getapplock")]
#[doc(alias = "sp_releaseapplock")]
pub type Lock<S> = dlock_core::Lock<App<S>>;

/// A lock held by the transaction that is open on a lent `Client<T>`.
///
/// COMMIT and ROLLBACK free it, and so does `ROLLBACK TRANSACTION savepoint` where it was acquired after
/// that savepoint: [`is_locked`](dlock_core::XactLock::is_locked) says that it was acquired, and is not
/// told of any of them. A new lock on the same name can be acquired then.
///
/// A dropped wait leaves the server's queue at once, and the client refuses all later use: drop it, which
/// rolls back.
///
/// ```no_run
/// # use dlock_db::mssql::Stream;
/// # async fn example<T: Stream>(client: &mut dlock_db::mssql::tiberius::Client<T>)
/// # -> Result<(), Box<dyn std::error::Error>> {
/// use dlock_db::mssql::XactLock;
///
/// client.begin_transaction().await?;
/// XactLock::new(&mut *client, "invoice:42")?.lock().await?;
/// // … critical section …
/// client.commit_transaction().await?;
/// # Ok(())
/// # }
/// ```
pub type XactLock<'a, T> = dlock_core::XactLock<Xact<'a, T>>;

/// A held [`Lock`], borrowed.
pub type Guard<'a, S> = dlock_core::Guard<'a, App<S>>;

/// A held [`Lock`] that owns its lock.
pub type OwnedGuard<S> = dlock_core::OwnedGuard<App<S>>;

/// Why a call on a lock did not do what it was asked to.
pub type Error = dlock_core::Error<tiberius::error::Error>;

/// Tags this driver's sessions for `dlock_core::lock`.
#[derive(Debug)]
pub enum Mssql {}
