use std::fmt;

/// The connection of a lock that has a session to itself, as what it is.
///
/// ```no_run
/// # async fn example(locks: dlock_db::AnyLocks) -> Result<(), Box<dyn std::error::Error>> {
/// use dlock_db::AnyConnection;
///
/// let mut held = locks.key("report")?.alone().lock().await?;
/// match held.session() {
///     # #[cfg(feature = "postgres")]
///     AnyConnection::Postgres(client) => drop(client.query("SELECT 1", &[]).await?),
///     _ => panic!("this work is for PostgreSQL"),
/// }
/// held.release().await?;
/// # Ok(())
/// # }
/// ```
#[non_exhaustive]
pub enum AnyConnection<'a> {
    /// To PostgreSQL.
    #[cfg(feature = "postgres")]
    Postgres(&'a mut dlock_postgres::tokio_postgres::Client),
    /// To MySQL or MariaDB.
    #[cfg(feature = "mysql")]
    Mysql(&'a mut dlock_mysql::mysql_async::Conn),
    /// To SQL Server.
    #[cfg(feature = "mssql")]
    Mssql(&'a mut dlock_mssql::tiberius::Client<dlock_mssql::Wire>),
    /// To Oracle.
    #[cfg(feature = "oracle")]
    Oracle(&'a dlock_oracle::oracle::Connection),
}

impl fmt::Debug for AnyConnection<'_> {
    /// Without what the connection knows, a password among it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            #[cfg(feature = "postgres")]
            Self::Postgres(_) => "AnyConnection::Postgres",
            #[cfg(feature = "mysql")]
            Self::Mysql(_) => "AnyConnection::Mysql",
            #[cfg(feature = "mssql")]
            Self::Mssql(_) => "AnyConnection::Mssql",
            #[cfg(feature = "oracle")]
            Self::Oracle(_) => "AnyConnection::Oracle",
        })
    }
}
