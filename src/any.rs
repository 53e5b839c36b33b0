//! Locks on whichever server a URL names.

mod alone;
mod connection;
mod erased;
mod error;
mod key;
mod known;
mod native;
mod server;
mod session;

pub use alone::AnyLock;
pub use connection::AnyConnection;
pub use error::AnyError;
pub use key::AnyKey;
pub use server::AnyServer;
pub use session::AnySession;

/// Locks that own their sessions, on the server that a URL names: `postgres://`, `mysql://`, `mariadb://`,
/// `mssql://`, `sqlserver://` or `oracle://`, of those that are compiled in.
///
/// It has every call of a driver's own `Locks`; what its server has not is an error that says so.
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let locks = dlock_db::AnyLocks::connect(std::env::var("DATABASE_URL")?).await?;
/// let held = locks.lock("invoice:42").await?;
/// held.release().await?;
/// # Ok(())
/// # }
/// ```
pub type AnyLocks = dlock_locks::Locks<AnyServer>;
