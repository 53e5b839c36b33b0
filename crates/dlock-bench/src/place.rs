//! Where a server is.

use std::net::{Ipv4Addr, SocketAddr};

use anyhow::Result;
use clap::ValueEnum;
use dlock_testkit::server::{MariaDb, MySql, Postgres};
use serde::{Deserialize, Serialize};

/// A database that is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Database {
    Postgres,
    Mysql,
    Mariadb,
}

impl Database {
    /// The name in tables and files.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Postgres => "postgres",
            Self::Mysql => "mysql",
            Self::Mariadb => "mariadb",
        }
    }
}

/// A port on this machine where a database listens, or a proxy in front of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) database: Database,
    pub(crate) port: u16,
}

impl Place {
    /// The URL that every driver takes.
    pub(crate) fn url(self) -> String {
        let port = self.port;
        match self.database {
            Database::Postgres => format!("postgres://postgres@127.0.0.1:{port}/postgres"),
            Database::Mysql | Database::Mariadb => format!("mysql://dlock@127.0.0.1:{port}/dlock"),
        }
    }

    /// The address.
    pub(crate) fn address(self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }

    /// The same database by way of another port.
    pub(crate) fn through(self, proxy: SocketAddr) -> Self {
        Self { port: proxy.port(), ..self }
    }
}

/// A private server: it ends with this.
#[derive(Debug)]
pub(crate) enum Server {
    Postgres(Postgres),
    Mysql(MySql),
    Mariadb(MariaDb),
}

impl Server {
    /// Starts one, in this process's own processor affinity.
    pub(crate) fn start(database: Database) -> Result<Self> {
        Ok(match database {
            Database::Postgres => Self::Postgres(Postgres::start(&[])?),
            Database::Mysql => Self::Mysql(MySql::start(&[])?),
            Database::Mariadb => Self::Mariadb(MariaDb::start(&[])?),
        })
    }

    /// Where it listens.
    pub(crate) fn place(&self) -> Result<Place> {
        Ok(match self {
            Self::Postgres(server) => Place { database: Database::Postgres, port: server.port()? },
            Self::Mysql(server) => Place { database: Database::Mysql, port: server.port()? },
            Self::Mariadb(server) => Place { database: Database::Mariadb, port: server.port()? },
        })
    }

    /// Its version.
    pub(crate) fn version(&self) -> String {
        let version = match self {
            Self::Postgres(server) => server.version(),
            Self::Mysql(server) => server.version(),
            Self::Mariadb(server) => server.version(),
        };
        version.unwrap_or("?").to_owned()
    }
}
