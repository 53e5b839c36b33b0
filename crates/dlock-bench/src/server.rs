//! The servers that are measured.

use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result};
use dlock_testkit::server::{MariaDb, MySql, Postgres};

use crate::place::{Database, Place};
use crate::stand_in;

/// A private server: it ends with this.
#[derive(Debug)]
pub(crate) enum Server {
    Postgres(Postgres),
    Mysql(MySql),
    Mariadb(MariaDb),
    /// A stand-in for SQL Server, in a process of its own: what it uses is not the client's.
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
            Database::Mssql => Self::Mssql(StandIn::start()?),
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

/// A process that stands in for a server.
#[derive(Debug)]
pub(crate) struct StandIn {
    child: Child,
    port: u16,
}

impl StandIn {
    fn start() -> Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg(stand_in::OPTION).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().context("starting the stand-in")?;
        let port = stand_in::port(child.stdout.take().context("an output")?)?;
        Ok(Self { child, port })
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        // Its input ends, and it with that.
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}
