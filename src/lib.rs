#![cfg_attr(docsrs, feature(doc_cfg))]
#![doc = include_str!("../README.md")]

/// A lock over whatever session it is given; the session's type picks the lock's.
///
/// ```no_run
/// # #[cfg(feature = "postgres")]
/// # async fn example(client: tokio_postgres::Client) -> Result<(), dlock_db::postgres::Error> {
/// let mut lock = dlock_db::lock(&client, "invoice:42")?;
/// let guard = lock.lock().await?;
/// guard.release().await?;
/// # Ok(())
/// # }
/// # #[cfg(feature = "postgres")]
/// # use dlock_db::postgres::tokio_postgres;
/// ```
#[doc(inline)]
pub use dlock_core::lock;

#[doc(inline)]
pub use dlock_core::{Error, KeyError, Wait};

/// PostgreSQL advisory locks on tokio-postgres.
#[cfg(feature = "postgres")]
#[cfg_attr(docsrs, doc(cfg(feature = "postgres")))]
#[doc(inline)]
pub use dlock_postgres as postgres;

/// MySQL and MariaDB named locks on mysql_async.
#[cfg(feature = "mysql")]
#[cfg_attr(docsrs, doc(cfg(feature = "mysql")))]
#[doc(inline)]
pub use dlock_mysql as mysql;

/// SQL Server application locks on tiberius.
#[cfg(feature = "mssql")]
#[cfg_attr(docsrs, doc(cfg(feature = "mssql")))]
#[doc(inline)]
pub use dlock_mssql as mssql;

/// Oracle user locks on rust-oracle.
#[cfg(feature = "oracle")]
#[cfg_attr(docsrs, doc(cfg(feature = "oracle")))]
#[doc(inline)]
pub use dlock_oracle as oracle;
