//! PostgreSQL.

use super::{Factory, KEYS, LEASE, Observer, Seen, Target, register};
use anyhow::{Context, Result};
use dlock_core::{Lock, SessionRef};
use dlock_postgres::tokio_postgres::{Client, Config, NoTls, SimpleQueryMessage};
use dlock_postgres::{Advisory, Key, Locks, Server, Session};
use futures::future::BoxFuture;
use std::net::SocketAddr;

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

    fn key(key: &str) -> Result<Key> {
        Ok(key.into())
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

impl Observer for Postgres {
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
            let keys = KEYS.map(|key| Key::from(key).number().to_string()).join(",");
            let sql = format!(
                "SELECT l.pid::text, concat_ws(' ', 'granted:', granted, 'xact:', \
                 virtualtransaction, state, query) \
                 FROM pg_locks l LEFT JOIN pg_stat_activity a ON a.pid = l.pid \
                 WHERE locktype = 'advisory' AND objsubid = 1 \
                 AND ((classid::int8 << 32) | objid::int8) IN ({keys})"
            );
            let rows = client.query(&sql, &[]).await?;
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
