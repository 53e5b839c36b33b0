//! Where a server is.

use std::net::{Ipv4Addr, SocketAddr};

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

/// A database that is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Database {
    Postgres,
    Mysql,
    Mariadb,
    /// A stand-in for SQL Server.
    Mssql,
    /// A stand-in for Oracle.
    Oracle,
}

impl Database {
    /// The name in files.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Postgres => "postgres",
            Self::Mysql => "mysql",
            Self::Mariadb => "mariadb",
            Self::Mssql => "mssql",
            Self::Oracle => "oracle",
        }
    }

    /// The name in tables and charts.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Postgres => "PostgreSQL",
            Self::Mysql => "MySQL",
            Self::Mariadb => "MariaDB",
            Self::Mssql => "SQL Server (a STAND-IN)",
            Self::Oracle => "Oracle (a STAND-IN)",
        }
    }

    /// The name of the product, where none of its servers is meant.
    pub(crate) fn product(self) -> &'static str {
        self.title().trim_end_matches(" (a STAND-IN)")
    }

    /// Whether something else answers in its place, which says nothing of the vendor's server.
    pub(crate) fn is_stand_in(self) -> bool {
        matches!(self, Self::Mssql | Self::Oracle)
    }
}

/// A port on this machine where a database listens, or a proxy in front of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) database: Database,
    pub(crate) port: u16,
}

impl Place {
    /// What the driver takes to connect.
    pub(crate) fn url(self) -> String {
        let port = self.port;
        match self.database {
            Database::Postgres => format!("postgres://postgres@127.0.0.1:{port}/postgres"),
            Database::Mysql | Database::Mariadb => format!("mysql://dlock@127.0.0.1:{port}/dlock"),
            Database::Mssql => format!(
                "Server=tcp:127.0.0.1,{port};Database=dlock;User Id=sa;Password=dlock;\
                 Encrypt=DANGER_PLAINTEXT;TrustServerCertificate=true"
            ),
            Database::Oracle => "scott/tiger@bench".to_owned(),
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

#[cfg(test)]
mod tests {
    use clap::ValueEnum;

    use super::Database;

    #[test]
    fn a_stand_in_is_called_one() {
        for database in Database::value_variants() {
            assert_eq!(database.title().contains("STAND-IN"), database.is_stand_in());
            assert!(!database.product().contains("STAND-IN"));
        }
    }
}
