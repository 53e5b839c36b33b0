//! What a worker tells its supervisor, and what it is told: lines of JSON.

use crate::contest::Contest;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;

/// How often each thing happened, by its name.
pub type Counts = BTreeMap<String, u64>;

/// A database engine.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, clap::ValueEnum,
)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// PostgreSQL.
    Postgres,
    /// MariaDB.
    #[value(name = "mariadb")]
    MariaDb,
    /// MySQL.
    #[value(name = "mysql")]
    MySql,
    /// SQL Server, or the stand-in for it.
    Mssql,
    /// Oracle, or the stand-in for it.
    Oracle,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::Postgres => "postgres",
            Kind::MariaDb => "mariadb",
            Kind::MySql => "mysql",
            Kind::Mssql => "mssql",
            Kind::Oracle => "oracle",
        })
    }
}

/// Where a worker finds a server.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Place {
    /// The engine.
    pub kind: Kind,
    /// The server's own URL.
    pub url: String,
    /// The proxy in front of it, if it is reached by TCP.
    pub proxy: Option<SocketAddr>,
}

/// A worker's work.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Job {
    /// What all random numbers start from.
    pub seed: u64,
    /// Which worker this is, counted through the run.
    pub worker: u64,
    /// How many tasks per server.
    pub tasks: u64,
    /// The servers.
    pub places: Vec<Place>,
    /// What is fought for.
    pub contests: Vec<Contest>,
    /// Where the roster is kept.
    pub roster: SocketAddr,
}

/// What a worker is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Order {
    /// Every task lets go of what it holds, keeps its session, and stands still.
    Pause,
    /// Go on.
    Resume,
}

/// What a worker tells.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Event {
    /// What happened since it last told.
    Counts(Counts),
    /// The longest that a bounded call outlasted its wait, in milliseconds, by server.
    Slowest(Counts),
    /// Every task stands still.
    Parked,
    /// A promise was broken.
    Violation(String),
}
