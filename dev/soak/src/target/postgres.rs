//! PostgreSQL.

use super::{Factory, LEASE, Ledger, Observer, Seen, Target, Written, ledger, register};
use anyhow::{Context, Result};
use dlock_core::{KeyError, Lock, SessionRef};
use dlock_locks::{Error, Held};
use dlock_postgres::tokio_postgres::{Client, Config, NoTls, SimpleQueryMessage};
use dlock_postgres::{Advisory, Key, Locks, Server, Session};
use futures::future::BoxFuture;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::time::sleep;

/// A PostgreSQL server.
#[derive(Clone, Debug)]
pub struct Postgres {
    config: Config,
    direct: Config,
}

/// A process id may come back; with the start of the session it does not.
const NAME: &str = "pid || '/' || extract(epoch from backend_start)";

impl Postgres {
    /// The server of this URL, through a proxy if there is one.
    ///
    /// # Errors
    /// Returns an error if it is no URL.
    pub fn new(url: &str, proxy: Option<SocketAddr>) -> Result<Self> {
        let given: Config = url.parse()?;
        let Some(proxy) = proxy else { return Ok(Self { config: given.clone(), direct: given }) };
        let mut config = Config::new();
        config.host(proxy.ip().to_string()).port(proxy.port());
        given.get_user().map(|user| config.user(user));
        given.get_password().map(|password| config.password(password));
        given.get_dbname().map(|name| config.dbname(name));
        Ok(Self { config, direct: given })
    }

    async fn session(&self) -> Result<Session> {
        let (client, connection) = self.config.connect(NoTls).await?;
        Ok(Session::new(client, connection))
    }

    async fn client(&self) -> Result<Client> {
        let (client, connection) = self.config.connect(NoTls).await?;
        tokio::spawn(connection);
        Ok(client)
    }
}

async fn text(client: &Client, sql: &str) -> Result<Option<String>> {
    let messages = client.simple_query(sql).await?;
    Ok(messages.iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
        _ => None,
    }))
}

impl Target for Postgres {
    type Raw = Advisory<Session>;

    async fn lock(&self, key: &str) -> Result<Lock<Self::Raw>> {
        Ok(Lock::new(self.session().await?, key)?)
    }

    async fn name(session: SessionRef<'_, Self::Raw>) -> Result<String> {
        let sql = format!("SELECT {NAME} FROM pg_stat_activity WHERE pid = pg_backend_pid()");
        text(session, &sql).await?.context("a session sees itself")
    }

    async fn echo(session: SessionRef<'_, Self::Raw>, number: i64) -> Result<i64> {
        let said = text(session, &format!("SELECT {number}")).await?;
        Ok(said.context("a row")?.parse()?)
    }

    async fn swap(
        session: SessionRef<'_, Self::Raw>,
        key: &str,
        from: Option<&str>,
        to: Option<&str>,
    ) -> Result<bool> {
        let messages = session.simple_query(&register::swap(key, from, to)).await?;
        Ok(messages.iter().any(|said| matches!(said, SimpleQueryMessage::CommandComplete(1))))
    }

    async fn holder(session: SessionRef<'_, Self::Raw>, key: &str) -> Result<Option<String>> {
        text(session, &register::holder(key)).await
    }

    async fn lives(session: SessionRef<'_, Self::Raw>, name: &str) -> Result<bool> {
        let sql = format!("SELECT 1 FROM pg_stat_activity WHERE {NAME} = '{name}'");
        Ok(text(session, &sql).await?.is_some())
    }
}

impl Factory for Postgres {
    type Driver = Server;
    type Register = Client;

    fn locks(&self) -> Result<Locks> {
        Ok(Locks::builder(self.config.clone()).lease(LEASE).name("soak").build()?)
    }

    fn key(key: &str) -> Result<Key, KeyError> {
        Ok(key.into())
    }

    fn section(&self, key: &str) -> String {
        format!("postgres: {key}")
    }

    async fn register(&self) -> Result<Client> {
        let (client, connection) = self.direct.connect(NoTls).await?;
        tokio::spawn(connection);
        Ok(client)
    }

    fn lend(register: &mut Client) -> &mut Client {
        register
    }
}

impl Ledger for Postgres {
    type Connection = Client;

    async fn connection(&self) -> Result<Client> {
        self.register().await
    }

    async fn write(
        client: &mut Client,
        held: &Held<Server>,
        key: &str,
        pause: Duration,
    ) -> Result<Written> {
        let token = held.token().context("a fenced lock has a token")?;
        let transaction = match held.begin(client).await {
            Err(Error::Lost(_)) => return Ok(Written::Refused),
            begun => begun?,
        };
        let row = transaction.query_one(&ledger::read(key), &[]).await?;
        let (last, entries) = (u64::try_from(row.get::<_, i64>(0))?, row.get::<_, i64>(1));
        if last > token {
            return Ok(Written::Back(last));
        }
        sleep(pause).await;
        transaction.batch_execute(&ledger::write(key, token, entries + 1).join(";")).await?;
        transaction.commit().await?;
        Ok(Written::Committed)
    }
}

impl Observer for Postgres {
    fn open_ledger(&self) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            let locks = Locks::builder(self.direct.clone()).build()?;
            locks.setup().await?;
            locks.close().await;
            let client = self.client().await?;
            Ok(client.batch_execute(&ledger::open().join(";")).await?)
        })
    }

    fn ledger(&self) -> BoxFuture<'_, Result<Vec<String>>> {
        Box::pin(async move {
            let (client, mut wrong) = (self.client().await?, Vec::new());
            for sql in ledger::WRONG {
                wrong.extend(text(&client, sql).await?);
            }
            Ok(wrong)
        })
    }

    fn processes(&self) -> BoxFuture<'_, Result<Vec<u32>>> {
        Box::pin(async move {
            let client = self.client().await?;
            let sql = "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' \
                       AND pid <> pg_backend_pid()";
            let rows = client.query(sql, &[]).await?;
            rows.iter().map(|row| Ok(u32::try_from(row.get::<_, i32>(0))?)).collect()
        })
    }

    fn prepare(&self) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            let client = self.client().await?;
            Ok(client.batch_execute(&register::prepare().join(";")).await?)
        })
    }

    fn seen(&self) -> BoxFuture<'_, Result<Vec<Seen>>> {
        Box::pin(async move {
            let client = self.client().await?;
            // Whatever key it is: those of a semaphore and those of a queue are made of its name.
            let sql = "SELECT l.pid::text, concat_ws(' ', 'granted:', granted, 'xact:', \
                       virtualtransaction, state, query) \
                       FROM pg_locks l LEFT JOIN pg_stat_activity a ON a.pid = l.pid \
                       WHERE locktype = 'advisory'";
            let rows = client.query(sql, &[]).await?;
            Ok(rows.iter().map(|row| Seen { session: row.get(0), what: row.get(1) }).collect())
        })
    }

    fn kill<'a>(&'a self, session: &'a str) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let client = self.client().await?;
            let sql = format!("SELECT pg_terminate_backend({session})");
            Ok(client.batch_execute(&sql).await?)
        })
    }
}
