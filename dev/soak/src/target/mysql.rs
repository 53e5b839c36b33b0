//! MySQL and MariaDB.

use super::{Factory, KEYS, LEASE, Ledger, Observer, Seen, Target, Written, ledger, register};
use crate::contest::{fenced, leader, permits, several};
use anyhow::{Context, Result};
use dlock_core::{KeyError, Lock, SessionRef};
use dlock_locks::{Error, Held};
use dlock_mysql::mysql_async::prelude::Queryable;
use dlock_mysql::mysql_async::{Conn, Opts, OptsBuilder, Row};
use dlock_mysql::{Key, Locks, Named, Server};
use futures::future::BoxFuture;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::time::sleep;

/// A MySQL or MariaDB server.
#[derive(Clone, Debug)]
pub struct MySql {
    opts: Opts,
    direct: Opts,
}

/// Databases may differ; the register is always in this one.
const USE: &str = "USE dlock_soak";

impl MySql {
    /// The server of this URL, through a proxy if there is one.
    ///
    /// # Errors
    /// Returns an error if it is no URL.
    pub fn new(url: &str, proxy: Option<SocketAddr>) -> Result<Self> {
        let opts = OptsBuilder::from_opts(Opts::from_url(url)?).prefer_socket(false);
        let direct: Opts = opts.clone().into();
        let opts = match proxy {
            Some(proxy) => opts.ip_or_hostname(proxy.ip().to_string()).tcp_port(proxy.port()),
            None => opts,
        };
        Ok(Self { opts: opts.into(), direct })
    }

    async fn conn(&self) -> Result<Conn> {
        let mut conn = Conn::new(self.opts.clone()).await?;
        conn.query_drop(USE).await?;
        Ok(conn)
    }
}

impl Target for MySql {
    type Raw = Named<Conn>;

    /// Every second one has its statements prepared.
    async fn lock(&self, key: &str) -> Result<Lock<Self::Raw>> {
        let conn = self.conn().await?;
        let is_prepared = conn.id().is_multiple_of(2);
        let lock = Lock::new(conn, key)?;
        Ok(if is_prepared { lock.prepared() } else { lock })
    }

    async fn name(session: SessionRef<'_, Self::Raw>) -> Result<String> {
        let id: Option<u64> = session.query_first("SELECT CONNECTION_ID()").await?;
        Ok(id.context("a row")?.to_string())
    }

    async fn echo(session: SessionRef<'_, Self::Raw>, number: i64) -> Result<i64> {
        let said: Option<i64> = session.query_first(format!("SELECT {number}")).await?;
        said.context("a row")
    }

    async fn swap(
        session: SessionRef<'_, Self::Raw>,
        key: &str,
        from: Option<&str>,
        to: Option<&str>,
    ) -> Result<bool> {
        session.query_drop(register::swap(key, from, to)).await?;
        Ok(session.affected_rows() == 1)
    }

    async fn holder(session: SessionRef<'_, Self::Raw>, key: &str) -> Result<Option<String>> {
        let row: Option<Option<String>> = session.query_first(register::holder(key)).await?;
        Ok(row.flatten())
    }

    async fn lives(session: SessionRef<'_, Self::Raw>, name: &str) -> Result<bool> {
        let processes = processes(session).await?;
        Ok(processes.iter().any(|process| process.session == name))
    }
}

/// Who is connected: its id, what it waits for, and its statement.
///
/// Not from `information_schema`: MariaDB makes a temporary table of that, and 10.11.19 has once died
/// in dropping one (`ha_maria::drop_table`) in the middle of a soak.
async fn processes(conn: &mut Conn) -> Result<Vec<Seen>> {
    let rows: Vec<Row> = conn.query("SHOW FULL PROCESSLIST").await?;
    let text = |row: &Row, column: &str| row.get::<Option<String>, _>(column).flatten();
    let seen = rows.iter().filter_map(|row| {
        let what = [text(row, "State"), text(row, "Info")].map(Option::unwrap_or_default);
        Some(Seen { session: row.get::<u64, _>("Id")?.to_string(), what: what.join(" ") })
    });
    Ok(seen.collect())
}

impl Factory for MySql {
    type Driver = Server;
    type Register = Conn;

    fn locks(&self) -> Result<Locks> {
        let opts = OptsBuilder::from_opts(self.opts.clone()).db_name(Some("dlock_soak"));
        Ok(Locks::builder(Opts::from(opts)).lease(LEASE).name("soak").build()?)
    }

    fn key(key: &str) -> Result<Key, KeyError> {
        key.try_into()
    }

    fn section(&self, key: &str) -> String {
        format!("{:?}: {key}", self.direct.tcp_port())
    }

    async fn register(&self) -> Result<Conn> {
        let mut conn = Conn::new(self.direct.clone()).await?;
        conn.query_drop(USE).await?;
        Ok(conn)
    }

    fn lend(register: &mut Conn) -> &mut Conn {
        register
    }
}

impl Ledger for MySql {
    type Connection = Conn;

    async fn connection(&self) -> Result<Conn> {
        self.register().await
    }

    async fn write(
        conn: &mut Conn,
        held: &Held<Server>,
        key: &str,
        pause: Duration,
    ) -> Result<Written> {
        let token = held.token().context("a fenced lock has a token")?;
        let mut transaction = match held.begin(conn).await {
            Err(Error::Lost(_)) => return Ok(Written::Refused),
            begun => begun?,
        };
        let row: Option<(u64, i64)> = transaction.query_first(ledger::read(key)).await?;
        let (last, entries) = row.context("a row")?;
        if last > token {
            return Ok(Written::Back(last));
        }
        sleep(pause).await;
        for sql in ledger::write(key, token, entries + 1) {
            transaction.query_drop(sql).await?;
        }
        transaction.commit().await?;
        Ok(Written::Committed)
    }
}

/// Every key that a session may hold.
fn keys() -> Result<Vec<Key>> {
    let names = [&KEYS[..], &fenced::KEYS, &leader::NAMES, &several::KEYS].concat();
    let keys = names.into_iter().map(MySql::key).collect::<Result<Vec<_>, _>>()?;
    Ok([keys, permits::keys::<MySql>()?].concat())
}

impl Observer for MySql {
    fn open_ledger(&self) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            let locks = self.locks()?;
            locks.setup().await?;
            locks.close().await;
            let mut conn = self.conn().await?;
            for sql in ledger::open() {
                conn.query_drop(sql).await?;
            }
            Ok(conn.disconnect().await?)
        })
    }

    fn ledger(&self) -> BoxFuture<'_, Result<Vec<String>>> {
        Box::pin(async move {
            let (mut conn, mut wrong) = (self.conn().await?, Vec::new());
            for sql in ledger::WRONG {
                wrong.extend(conn.query::<String, _>(sql).await?);
            }
            conn.disconnect().await?;
            Ok(wrong)
        })
    }

    fn prepare(&self) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            let mut conn = Conn::new(self.opts.clone()).await?;
            let database = ["CREATE DATABASE IF NOT EXISTS dlock_soak".to_owned(), USE.to_owned()];
            for sql in database.into_iter().chain(register::prepare()) {
                conn.query_drop(sql).await?;
            }
            Ok(conn.disconnect().await?)
        })
    }

    fn seen(&self) -> BoxFuture<'_, Result<Vec<Seen>>> {
        Box::pin(async move {
            let mut conn = self.conn().await?;
            let mut all = Vec::new();
            for key in keys()? {
                let key = key.to_string();
                let sql = format!("SELECT IS_USED_LOCK('{key}')");
                let holder: Option<Option<u64>> = conn.query_first(sql).await?;
                let what = format!("holds {key}");
                all.extend(holder.flatten().map(|id| Seen { session: id.to_string(), what }));
            }
            let processes = processes(&mut conn).await?;
            all.extend(processes.into_iter().filter(|seen| seen.what.starts_with("User lock")));
            conn.disconnect().await?;
            Ok(all)
        })
    }

    fn kill<'a>(&'a self, session: &'a str) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let mut conn = self.conn().await?;
            conn.query_drop(format!("KILL {session}")).await?;
            Ok(conn.disconnect().await?)
        })
    }
}
