//! The servers that are measured.

use anyhow::Result;
use dlock_testkit::server::{MariaDb, MySql, Postgres};

use crate::place::{Database, Place};
use crate::stand_in::{Role, StandIn};

/// A private server: it ends with this.
#[derive(Debug)]
pub(crate) enum Server {
    Postgres(Postgres),
    Mysql(MySql),
    Mariadb(MariaDb),
    /// A stand-in for SQL Server.
    Mssql(StandIn),
    /// A stand-in for Oracle's client library, with a database in this process.
    Oracle,
}

impl Server {
    /// Starts one, in this process's own processor affinity.
    pub(crate) fn start(database: Database) -> Result<Self> {
        Ok(match database {
            Database::Postgres => Self::Postgres(Postgres::start(&[])?),
            Database::Mysql => Self::Mysql(MySql::start(&[])?),
            Database::Mariadb => Self::Mariadb(MariaDb::start(&[])?),
            Database::Mssql => Self::Mssql(StandIn::start(Role::Mssql)?),
            Database::Oracle => Self::Oracle,
        })
    }

    /// Where it listens.
    pub(crate) fn place(&self) -> Result<Place> {
        let (database, port) = match self {
            Self::Postgres(server) => (Database::Postgres, server.port()?),
            Self::Mysql(server) => (Database::Mysql, server.port()?),
            Self::Mariadb(server) => (Database::Mariadb, server.port()?),
            Self::Mssql(server) => (Database::Mssql, server.port),
            Self::Oracle => (Database::Oracle, 0),
        };
        Ok(Place { database, port })
    }

    /// Its version.
    pub(crate) fn version(&self) -> String {
        let version = match self {
            Self::Postgres(server) => server.version(),
            Self::Mysql(server) => server.version(),
            Self::Mariadb(server) => server.version(),
            Self::Mssql(_) | Self::Oracle => Some(env!("CARGO_PKG_VERSION")),
        };
        version.unwrap_or("?").to_owned()
    }
}
