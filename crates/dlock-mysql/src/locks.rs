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

/// Locks that own their sessions.
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use dlock_mysql::Locks;
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
pub type Locks = dlock_locks::Locks<Server>;

/// Settings of [`Locks`].
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use dlock_mysql::{Locks, mysql_async::OptsBuilder};
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
pub type Request = dlock_locks::Request<Server>;
