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
//! * `&mut Client`, lent. A dropped wait or guard then leaves the *client* unusable, possibly holding
//!   the key, until its owner drops it: prefer `with`, or release by hand, and an owned client
//!   wherever futures may be dropped.
//!
//! # Dropped waits
//!
//! A dropped wait on an owned client is cancelled on the server by an attention, unless its answer
//! comes within 50 milliseconds. When the answer crosses the attention the driver cannot tell any more
//! which answer is which: then the session is ended, the server frees what it held, and the lock says
//! [`Closed`](Error::Closed). Under `SET XACT_ABORT ON` the server answers an attention by rolling
//! back the transaction that is open.
//!
//! # Long waits
//!
//! tiberius gives a connection up when an answer takes longer than its `command_timeout`, which is 30
//! seconds by default. So waits are asked for in slices of 25 seconds, each of which joins the
//! server's queue anew. Do not set `command_timeout` below 30 seconds; `None` is fine.
//!
//! # TLS
//!
//! This crate turns on no TLS of tiberius: add `rustls` or `native-tls` to the features of your own
//! dependency on it.
//!
//! # Names
//!
//! A name counts within the database of the session, and its case counts: see [`Key`].

mod answer;
mod app;
mod client;
mod key;
mod mode;
mod queue;
mod release;
mod xact;

pub use app::App;
pub use client::{Place, Stream};
pub use key::{Key, Limits};
pub use mode::Mode;
pub use tiberius;
pub use xact::Xact;

/// A lock held by the session `S`: a `Client`, or a `&mut Client`.
///
/// ```no_run
/// # use dlock_mssql::Stream;
/// # async fn example<T: Stream + 'static>(client: dlock_mssql::tiberius::Client<T>)
/// # -> Result<(), dlock_mssql::Error> {
/// use dlock_mssql::Lock;
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
pub type Lock<S> = dlock_core::Lock<App<S>>;

/// A lock held by the transaction that is open on a lent `Client<T>`.
///
/// A dropped wait leaves the client unusable until its owner drops it, which rolls back.
///
/// ```no_run
/// # use dlock_mssql::Stream;
/// # async fn example<T: Stream>(client: &mut dlock_mssql::tiberius::Client<T>)
/// # -> Result<(), Box<dyn std::error::Error>> {
/// use dlock_mssql::XactLock;
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
