//! What is measured: this library, the raw drivers, the peers.

#[cfg(feature = "peers")]
mod distributed;
mod echo;
pub(crate) mod layer;
pub(crate) mod mssql;
mod mysql;
mod native;
pub(crate) mod oracle;
mod postgres;
mod python;
#[cfg(feature = "peers")]
mod sqlx_postgres;

use std::time::Duration;

use anyhow::Result;
use futures::future::BoxFuture;

use crate::eye::Eye;
use crate::place::{Database, Place};
use crate::statements::Statements;
use native::Native;

/// Time that passed, and processor time that the client used meanwhile.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lap {
    pub(crate) wall: Duration,
    pub(crate) cpu: Duration,
}

/// A subject and its connections.
///
/// A measure is told to the subject as a whole, so that one in another process keeps time itself.
pub(crate) trait Subject: Send {
    /// Changes the connections for new ones, so that where the runtime once put the old ones does
    /// not decide; a process of its own keeps them.
    fn renew(&mut self) -> BoxFuture<'_, Result<()>>;

    /// Acquires and releases so many times, on every connection at once.
    fn pairs(&mut self, count: u32) -> BoxFuture<'_, Result<Lap>>;

    /// Hands the lock of connection 0 over to a waiter of the same kind, each time from the call that
    /// releases to the waiter's return: to a new connection, then to the same in use.
    fn hand_overs<'a>(&'a mut self, eye: &'a mut Eye) -> BoxFuture<'a, Result<[Duration; 2]>>;

    /// How long an acquire took that could not succeed; `None` when there is no such call.
    fn time_out(&mut self, limit: Duration) -> BoxFuture<'_, Result<Option<Duration>>>;

    /// The bytes that a task which waits for a lock allocates; `None` when they cannot be counted.
    fn memory<'a>(&'a mut self, eye: &'a mut Eye) -> BoxFuture<'a, Result<Option<i64>>>;

    /// Acquires on connection 0.
    fn acquire(&mut self) -> BoxFuture<'_, Result<()>>;

    /// Releases on connection 0.
    fn release(&mut self) -> BoxFuture<'_, Result<()>>;

    /// Drops a wait: how long until the server forgot it, `None` if it did not within a limit.
    fn dropped<'a>(
        &'a mut self,
        eye: &'a mut Eye,
        limit: Duration,
    ) -> BoxFuture<'a, Result<Option<Duration>>>;
}

/// A subject that opens its connections.
pub(crate) type Connecting = BoxFuture<'static, Result<Box<dyn Subject>>>;

/// A kind of subject.
#[derive(Clone, Copy)]
pub(crate) struct Kind {
    /// The name in tables.
    pub(crate) name: &'static str,
    /// Whether it can take and give back separately: a lock over a lent session cannot.
    pub(crate) is_whole: bool,
    connect: fn(Place, u32) -> Connecting,
}

impl std::fmt::Debug for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

impl Kind {
    /// Whether it is neither ours nor the raw driver: then what it cannot do is a finding.
    pub(crate) fn is_peer(self) -> bool {
        let ours = ["raw", "dlock", LOOPBACK.name];
        !ours.iter().any(|start| self.name.starts_with(start))
    }

    /// Opens so many connections.
    pub(crate) async fn connect(self, place: Place, connections: u32) -> Result<Box<dyn Subject>> {
        (self.connect)(place, connections).await
    }
}

/// The one that all others are compared with. Its statements are those of a lock's first use.
pub(crate) const RAW: &str = "raw driver, same statements";
/// One plain statement each way.
pub(crate) const PLAIN: &str = "raw driver, plain statements";
/// The same with those of a lock's later uses, where they differ: what an owned one is compared with.
pub(crate) const RAW_LATER: &str = "raw driver, later statements";

/// The same, prepared: what a lock is compared with that has its statements prepared.
pub(crate) const RAW_PREPARED: &str = "raw driver, prepared statements";

const fn whole<L: crate::locker::Locker>(name: &'static str) -> Kind {
    Kind { name, is_whole: true, connect: Native::<L>::connect }
}

const fn pairs_only<L: crate::locker::Locker>(name: &'static str) -> Kind {
    Kind { name, is_whole: false, connect: Native::<L>::connect }
}

const PYTHON: Kind =
    Kind { name: "sqlalchemy-dlock 0.8.1 (Python)", is_whole: true, connect: python::connect };

/// This library over a session that it owns.
pub(crate) const OWNED: &str = "dlock, owned";
/// The same with its statements prepared.
pub(crate) const PREPARED: &str = "dlock, prepared";
/// This library over a session that others may have too.
pub(crate) const SHARED: &str = "dlock, shared";
/// This library over a session that it is lent, with a new lock each time.
pub(crate) const LENT: &str = "dlock, lent";
/// This library with sessions of its own.
pub(crate) const LAYER: &str = "dlock, Locks";
/// The same without a server: a mutex of the runtime's for each key.
pub(crate) const IDEAL: &str = "tokio::sync::Mutex";
/// One task of the raw driver's, with prepared statements.
pub(crate) const LONE: &str = "raw driver, prepared";
/// The raw driver that the wait-free acquires are compared with.
pub(crate) const TYPED: &str = "raw driver, typed";
/// sqlx.
pub(crate) const SQLX: &str = "sqlx PgAdvisoryLock";

/// Neither database nor driver: two messages to a server that takes no time.
pub(crate) const LOOPBACK: Kind = pairs_only::<echo::Echo>("loopback alone");

const POSTGRES: &[Kind] = &[
    whole::<postgres::Raw>(RAW),
    whole::<postgres::Plain>(PLAIN),
    whole::<postgres::Naive>("raw driver, naive"),
    whole::<postgres::Owned>(OWNED),
    whole::<postgres::Shared>(SHARED),
    pairs_only::<postgres::Lent>(LENT),
    #[cfg(feature = "peers")]
    whole::<sqlx_postgres::Sqlx>(SQLX),
    #[cfg(feature = "peers")]
    whole::<distributed::Postgres>("distributed-lock-postgres"),
    pairs_only::<layer::Layer<dlock_postgres::Server>>(LAYER),
    PYTHON,
];

/// In acquires that do not wait.
const WAIT_FREE: &[Kind] = &[
    pairs_only::<postgres::Typed>(TYPED),
    pairs_only::<postgres::Prepared>(LONE),
    pairs_only::<postgres::Unprepared>("raw driver, prepared anew"),
    pairs_only::<postgres::TryOwned>(OWNED),
    pairs_only::<postgres::TryLent>(LENT),
    pairs_only::<layer::Layer<dlock_postgres::Server>>(LAYER),
    #[cfg(feature = "peers")]
    pairs_only::<sqlx_postgres::TrySqlx>(SQLX),
];

const MYSQL: &[Kind] = &[
    whole::<mysql::Raw<0>>(RAW),
    whole::<mysql::Raw<{ mysql::FIRST_USES }>>(RAW_LATER),
    whole::<mysql::RawPrepared>(RAW_PREPARED),
    whole::<mysql::Plain>(PLAIN),
    whole::<mysql::Naive>("raw driver, naive"),
    whole::<mysql::Owned>(OWNED),
    whole::<mysql::Owned<true>>(PREPARED),
    pairs_only::<mysql::Lent>(LENT),
    #[cfg(feature = "peers")]
    whole::<distributed::Mysql>("distributed-lock-mysql"),
    pairs_only::<layer::Layer<dlock_mysql::Server>>(LAYER),
    PYTHON,
];

const MSSQL: &[Kind] = &[
    whole::<mssql::Raw>(RAW),
    whole::<mssql::Plain>(PLAIN),
    whole::<mssql::Owned>(OWNED),
    pairs_only::<mssql::Lent>(LENT),
];

const ORACLE: &[Kind] = &[
    whole::<oracle::Raw>(RAW),
    whole::<oracle::Naive>("raw driver, spawn_blocking"),
    whole::<oracle::Owned>(OWNED),
    whole::<oracle::Shared>(SHARED),
];

/// What is measured on a database; Python's only where it could be set up.
pub(crate) fn kinds(database: Database, python: bool) -> Vec<Kind> {
    let kinds = match database {
        Database::Postgres => POSTGRES,
        Database::Mysql | Database::Mariadb => MYSQL,
        Database::Mssql => MSSQL,
        Database::Oracle => ORACLE,
    };
    kinds.iter().copied().filter(|kind| python || kind.name != PYTHON.name).collect()
}

/// What is measured in acquires that do not wait.
pub(crate) fn wait_free(database: Database) -> &'static [Kind] {
    if database == Database::Postgres { WAIT_FREE } else { &[] }
}

/// One task with statements that are prepared.
pub(crate) fn lone(database: Database) -> Kind {
    match database {
        Database::Postgres => pairs_only::<postgres::Prepared>(LONE),
        _ => whole::<mysql::RawPrepared>(LONE),
    }
}

/// The statements that this library sends to PostgreSQL.
pub(crate) async fn postgres_statements(place: Place) -> Result<Statements> {
    Statements::of::<postgres::Shared>(place, 0).await
}
