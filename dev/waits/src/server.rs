use anyhow::{Context, Result};
use dlock_postgres::tokio_postgres::{Client, Config, NoTls, SimpleQueryMessage};
use dlock_postgres::{Key, Number};
use dlock_testkit::server::Postgres;

/// A private server.
pub(crate) struct Fixture {
    pub(crate) server: Postgres,
    config: Config,
}

impl Fixture {
    pub(crate) fn start() -> Result<Self> {
        let server = Postgres::start(&[("max_connections", "650")])?;
        let config = server.url().parse()?;
        Ok(Self { server, config })
    }

    pub(crate) async fn connect(&self) -> Result<Client> {
        let (client, connection) = self.config.connect(NoTls).await?;
        tokio::spawn(connection);
        Ok(client)
    }
}

/// The first column of the first row.
pub(crate) async fn show(client: &Client, sql: &str) -> Result<String> {
    let messages = client.simple_query(sql).await?;
    let row = messages.iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => row.get(0),
        _ => None,
    });
    Ok(row.unwrap_or_default().to_owned())
}

pub(crate) async fn pid(client: &Client) -> Result<i32> {
    show(client, "SELECT pg_backend_pid()").await?.parse().context("a process id")
}

/// The condition for the rows of `pg_locks` that are this key.
pub(crate) fn rows(key: &str) -> String {
    let Number::Single(number) = Key::from(key).number() else { unreachable!("a text") };
    format!(
        "locktype = 'advisory' AND objsubid = 1 AND (classid::int8 << 32) | objid::int8 = {number}"
    )
}
