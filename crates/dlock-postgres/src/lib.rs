//! PostgreSQL advisory locks on [`tokio_postgres`].
//!
//! # Which lock should you use?
//!
//! * [`Lock`] is held by the session, until it is released or the session ends. It takes the client
//!   you have, both halves of a session ([`Session`]), or whatever [`HasClient`].
//! * [`XactLock`] is held by your transaction, and freed by its COMMIT or ROLLBACK. It is the one that
//!   works through a transaction pooler.
//!
//! Both have `.shared()`.
//!
//! # Slices
//!
//! A wait goes on in slices, each a statement of its own that waits in the server's queue for 50 ms at
//! first and 0.9 s at most. So it pins no snapshot for longer, breaks no `CONCURRENTLY` command of the
//! holder's, and leaves the queue by itself when its future, its runtime or its process is gone: within
//! a slice, or 1.1 s where the session holds another key. Until then other statements on the client wait.
//! `lock.slice(longest)` makes slices longer, for fleets whose other members wait in one piece and for
//! writers among readers who hold for long; `VACUUM` and the holder's `CONCURRENTLY` commands then wait
//! as long.
//!
//! One wait at a time is on the wire of a session: several take turns, tries and releases go between.
//! Two locks that must wait independently need two sessions.
//!
//! # Transactions begun by hand
//!
//! Inside one, a [`Lock`] takes a free key, and is refused (`Refused`, code 25001) where it would have to
//! wait: that would pin the transaction's snapshot. A release in one that has failed is refused by the
//! server; the crate's front page says what `with` and a dropped guard do there.

mod acquire;
mod advisory;
mod answer;
mod drive;
mod halves;
mod key;
mod leaving;
mod locks;
mod mode;
#[cfg(any(feature = "bb8", feature = "deadpool"))]
mod pooled;
mod registry;
mod release;
mod session;
mod slice;
mod statement;
mod xact;

pub use advisory::Advisory;
pub use dlock_core::{KeyError, Wait};
pub use dlock_locks::{CancellationToken, Finding, Lost, LostReason, Severity, Stats};
pub use halves::Session;
pub use key::{Key, Number};
pub use locks::{
    All, Alone, Held, HeldAlone, HeldMode, Holder, Locks, LocksBuilder, LocksError, Permit,
    Request, Semaphore, Server, ServerError, ServerSession, Term,
};
pub use mode::Mode;
pub use session::{AsSession, HasClient};
#[doc(no_inline)]
pub use tokio_postgres;
pub use xact::Xact;

use tokio_postgres::Client;

/// A lock held by the session `S`.
///
/// ```no_run
/// # async fn example(client: tokio_postgres::Client) -> Result<(), dlock_db::postgres::Error> {
/// use dlock_db::postgres::Lock;
///
/// let mut lock = Lock::new(&client, "invoice:42")?;
/// let guard = lock.lock().await?;
/// // … critical section …
/// guard.release().await?;
/// # Ok(())
/// # }
/// ```
///
/// `session()` gives `&mut Client` over a client that the lock owns or was lent by `&mut`, and `&Client` over one that is shared.
///
/// This page shows the calls of all servers. Of them this one has not `update`, `upgrade`, `with_mode`, `convert`, `release_on_commit`, `prepared` and `abort`.
#[doc(alias = "advisory")]
#[doc(alias = "pg_advisory_lock")]
pub type Lock<S = Client> = dlock_core::Lock<Advisory<S>>;

/// A lock held by a transaction.
///
/// ```no_run
/// # async fn example(mut client: tokio_postgres::Client) -> Result<(), Box<dyn std::error::Error>> {
/// use dlock_db::postgres::XactLock;
///
/// let transaction = client.transaction().await?;
/// XactLock::new(&transaction, "invoice:42")?.lock().await?;
/// // … critical section …
/// transaction.commit().await?;
/// # Ok(())
/// # }
/// ```
///
/// Several over one transaction take turns, slice by slice: a try waits for its turn too, and a bounded wait tries once
/// more when its turn comes after its time. While a future that acquires one is neither polled nor dropped, the others
/// are refused (25001): the end of its savepoint would undo what they were granted.
pub type XactLock<'a> = dlock_core::XactLock<Xact<'a>>;

/// A held [`Lock`], borrowed.
pub type Guard<'a, S = Client> = dlock_core::Guard<'a, Advisory<S>>;

/// A held [`Lock`] that owns its lock.
pub type OwnedGuard<S = Client> = dlock_core::OwnedGuard<Advisory<S>>;

/// Why a call on a lock did not do what it was asked to.
pub type Error = dlock_core::Error<tokio_postgres::Error>;

/// Tags this driver's sessions for `dlock_core::lock`.
#[derive(Debug)]
pub enum Postgres {}
