//! An observer of the server's queue, over a session of its own.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Opts};
use oracle::Connection;
use tokio_postgres::{Client, NoTls};

use crate::place::{Database, Place};
use crate::subject::mssql::{self, Tcp};
use crate::subject::oracle::connection;

const PATIENCE: Duration = Duration::from_secs(10);

const POSTGRES: &str = "SELECT count(*) FROM pg_locks WHERE locktype='advisory' AND NOT granted";
const MYSQL: &str = "SELECT count(*) FROM information_schema.processlist WHERE state='User lock'";
const MSSQL: &str = "SELECT request_session_id FROM sys.dm_tran_locks \
                     WHERE resource_type='APPLICATION' AND request_status='WAIT'";
const ORACLE: &str = "SELECT COUNT(*) FROM v$lock WHERE type='UL' AND request > 0";

/// Sees how many sessions wait for a lock on the server.
pub(crate) enum Eye {
    Postgres(Client),
    Mysql(Box<Conn>),
    Mssql(Box<Tcp>),
    Oracle(Connection),
}

impl Eye {
    /// Connects.
    pub(crate) async fn open(place: Place) -> Result<Self> {
        Ok(match place.database {
            Database::Postgres => {
                let (client, connection) = tokio_postgres::connect(&place.url(), NoTls).await?;
                tokio::spawn(connection);
                Self::Postgres(client)
            }
            Database::Mysql | Database::Mariadb => {
                Self::Mysql(Box::new(Conn::new(Opts::from_url(&place.url())?).await?))
            }
            Database::Mssql => Self::Mssql(Box::new(mssql::client(&place).await?)),
            Database::Oracle => Self::Oracle(connection()?),
        })
    }

    /// The sessions that wait for a lock, whatever its key.
    pub(crate) async fn waiters(&mut self) -> Result<i64> {
        Ok(match self {
            Self::Postgres(client) => client.query_one(POSTGRES, &[]).await?.get(0),
            Self::Mysql(conn) => conn.query_first(MYSQL).await?.context("a count")?,
            Self::Mssql(client) => {
                let rows = client.simple_query(MSSQL).await?.into_first_result().await?;
                i64::try_from(rows.len())?
            }
            Self::Oracle(connection) => connection.query_row_as(ORACLE, &[])?,
        })
    }

    /// Waits until so many sessions wait, and says how long that took.
    pub(crate) async fn until(&mut self, count: i64) -> Result<Duration> {
        self.within(count, PATIENCE).await?.context("the waiters did not come or go in time")
    }

    /// As [`until`](Self::until), but `None` when it takes too long.
    pub(crate) async fn within(&mut self, count: i64, limit: Duration) -> Result<Option<Duration>> {
        let start = Instant::now();
        while self.waiters().await? != count {
            if start.elapsed() > limit {
                return Ok(None);
            }
            // No server tells when its queue changes, and asking without a pause loads it.
            tokio::time::sleep(Duration::from_micros(200)).await;
        }
        Ok(Some(start.elapsed()))
    }

    /// An error unless nobody waits.
    pub(crate) async fn expect_none(&mut self) -> Result<()> {
        match self.waiters().await? {
            0 => Ok(()),
            more => bail!("{more} waiters are left over from an earlier measure"),
        }
    }
}
