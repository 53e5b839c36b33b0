//! SQL Server, or the stand-in for it.

use super::{KEYS, Observer, Seen, Target, register};
use anyhow::{Context, Result};
use dlock_core::{Lock, SessionRef};
use dlock_mssql::App;
use dlock_mssql::tiberius::{Client, Config};
use futures::future::BoxFuture;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use tokio::net::TcpStream;
use tokio_util::compat::{Compat, TokioAsyncWriteCompatExt};

type Tcp = Client<Compat<TcpStream>>;

/// A SQL Server.
#[derive(Clone, Debug)]
pub struct Mssql {
    config: Config,
    proxy: Option<SocketAddr>,
}

/// Session ids come back: each session is called by a program name of its own.
static SESSIONS: AtomicU64 = AtomicU64::new(0);

impl Mssql {
    /// The server of this ADO.NET string, through a proxy if there is one.
    ///
    /// # Errors
    /// Returns an error if it is no such string.
    pub fn new(url: &str, proxy: Option<SocketAddr>) -> Result<Self> {
        Ok(Self { config: Config::from_ado_string(url)?, proxy })
    }

    /// Where the server listens.
    #[must_use]
    pub fn address(&self) -> String {
        self.config.get_addr()
    }

    async fn client(&self) -> Result<Tcp> {
        let stream = match self.proxy {
            Some(proxy) => TcpStream::connect(proxy).await?,
            None => TcpStream::connect(self.config.get_addr()).await?,
        };
        stream.set_nodelay(true)?;
        let mut config = self.config.clone();
        let number = SESSIONS.fetch_add(1, Relaxed);
        config.application_name(format!("soak-{}-{number}", std::process::id()));
        Ok(Client::connect(config, stream.compat_write()).await?)
    }
}

async fn text(client: &mut Tcp, sql: &str) -> Result<Option<String>> {
    let row = client.simple_query(sql).await?.into_row().await?;
    Ok(row.and_then(|row| row.get::<&str, _>(0).map(str::to_owned)))
}

impl Target for Mssql {
    type Raw = App<Tcp>;

    async fn lock(&self, key: &str) -> Result<Lock<Self::Raw>> {
        Ok(Lock::new(self.client().await?, key)?)
    }

    async fn name(session: SessionRef<'_, Self::Raw>) -> Result<String> {
        text(session, "SELECT APP_NAME()").await?.context("a session has its program's name")
    }

    async fn echo(session: SessionRef<'_, Self::Raw>, number: i64) -> Result<i64> {
        let row = session.query("SELECT @P1", &[&number]).await?.into_row().await?;
        row.and_then(|row| row.get(0)).context("one number")
    }

    async fn swap(
        session: SessionRef<'_, Self::Raw>,
        key: &str,
        from: Option<&str>,
        to: Option<&str>,
    ) -> Result<bool> {
        let done = session.execute(register::swap(key, from, to), &[]).await?;
        Ok(done.total() == 1)
    }

    async fn holder(session: SessionRef<'_, Self::Raw>, key: &str) -> Result<Option<String>> {
        text(session, &register::holder(key)).await
    }

    async fn lives(session: SessionRef<'_, Self::Raw>, name: &str) -> Result<bool> {
        let sql = format!("SELECT 'yes' FROM sys.dm_exec_sessions WHERE program_name = '{name}'");
        Ok(text(session, &sql).await?.is_some())
    }
}

/// Those who wait first, then those who hold.
fn seen(key: &str) -> String {
    format!(
        "SELECT request_session_id, request_status FROM sys.dm_tran_locks \
         WHERE resource_type = 'APPLICATION' AND resource_description LIKE '%:[[]{key}]:(%'"
    )
}

impl Observer for Mssql {
    fn prepare(&self) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            let mut client = self.client().await?;
            for sql in register::prepare() {
                client.simple_query(sql).await?.into_results().await?;
            }
            Ok(client.close().await?)
        })
    }

    fn seen(&self) -> BoxFuture<'_, Result<Vec<Seen>>> {
        Box::pin(async move {
            let mut client = self.client().await?;
            let mut all = Vec::new();
            for key in KEYS {
                let rows = client.simple_query(seen(key)).await?.into_first_result().await?;
                for row in rows {
                    let session: i32 = row.get(0).context("a number")?;
                    let status: &str = row.get(1).context("a status")?;
                    let what = format!("{status} {key}");
                    all.push(Seen { session: session.to_string(), what });
                }
            }
            client.close().await?;
            Ok(all)
        })
    }

    fn kill<'a>(&'a self, session: &'a str) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let mut client = self.client().await?;
            client.simple_query(format!("KILL {session}")).await?.into_results().await?;
            Ok(client.close().await?)
        })
    }
}
