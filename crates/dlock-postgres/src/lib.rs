//! PostgreSQL advisory locks on [`tokio_postgres`].
//!
//! # Which lock should you use?
//!
//! * [`Lock`] is held by the session, until it is released or the session ends. It takes the client
//!   you have (`&Client`, `Arc<Client>`, `Client`) or both halves of a session ([`Session`]).
//! * [`XactLock`] is held by your transaction, and freed by its COMMIT or ROLLBACK. It is the one that
//!   works through a transaction pooler.
//!
//! Both have `.shared()`. One session waits for one lock at a time: everything else on it, a release
//! too, waits behind. Two locks that must wait independently need two sessions.
//!
//! # Dropped waits
//!
//! A dropped wait is cancelled on the server by a cancel request over a connection of its own: plain,
//! or by the [`Canceller`] that a session with `sslmode=require` needs. Without one, nothing leaks
//! there, but the wait goes on in the server and the connection stays busy until it ends. The request
//! is sent 100 ms after the wait was at the earliest: what the server refuses at once must not be
//! cancelled, since inside a transaction that would abort it.

mod acquire;
mod advisory;
mod answer;
mod drive;
mod halves;
mod key;
mod leaving;
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
pub use halves::Session;
pub use key::{Key, Number};
pub use mode::Mode;
pub use session::{AsSession, HasClient};
pub use tokio_postgres;
pub use xact::Xact;

use tokio_postgres::Client;

/// A lock held by the session `S`.
///
/// ```no_run
/// # async fn example(client: tokio_postgres::Client) -> Result<(), dlock_postgres::Error> {
/// use dlock_postgres::Lock;
///
/// let mut lock = Lock::new(&client, "invoice:42")?;
/// let guard = lock.lock().await?;
/// // … critical section …
/// guard.release().await?;
/// # Ok(())
/// # }
/// ```
pub type Lock<S = Client> = dlock_core::Lock<Advisory<S>>;

/// A lock held by a transaction.
///
/// ```no_run
/// # async fn example(mut client: tokio_postgres::Client) -> Result<(), Box<dyn std::error::Error>> {
/// use dlock_postgres::XactLock;
///
/// let transaction = client.transaction().await?;
/// XactLock::new(&transaction, "invoice:42")?.lock().await?;
/// // … critical section …
/// transaction.commit().await?;
/// # Ok(())
/// # }
/// ```
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
