use crate::locks::{ServerError, ServerSession, Wire, url};
use crate::{Key, Mode, statement};
use dlock_locks::{Driver, ModeDriver, SessionOptions, SharedDriver, UpdateDriver, UrlDriver};
use std::fmt;
use std::time::Duration;
use tiberius::error::Error as Native;
use tiberius::{Client, Config, SqlBrowser};
use tokio::net::TcpStream;

/// A server to open sessions on.
///
/// A URL, an ADO string or a JDBC string names it, or a [`Config`] of the driver's:
///
/// * `mssql://user:password@host:port/database`, or `sqlserver://…`, with `encrypt`,
///   `trust_server_certificate`, `trust_server_certificate_ca` and `host_name_in_certificate` behind a `?`;
///   where `encrypt=false`, the password travels in the clear too.
/// * `Server=tcp:host,1433;Database=…;User Id=…;Password=…`, and `jdbc:sqlserver://…`, as [`tiberius`]
///   reads them. `Server=host\instance` asks the server's browser for the instance's port.
///
/// TLS is the feature `rustls` of this crate, or any that the caller's own dependency on tiberius turns on.
/// With one of them a connection is encrypted unless told otherwise; with none, a string that asks for
/// encryption is refused.
#[derive(Clone)]
pub struct Server {
    config: Config,
}

impl From<Config> for Server {
    fn from(config: Config) -> Self {
        Self { config }
    }
}

impl Server {
    /// A connection of this name, and what it is watched by.
    pub(crate) async fn dial(&self, name: &str) -> Result<(Client<Wire>, Wire), ServerError> {
        let mut config = self.config.clone();
        config.application_name(name);
        config.command_timeout(None);
        // A replica's locks exclude nobody on the primary.
        config.readonly(false);
        match connect(&config).await {
            Err(Native::Routing { host, port }) => {
                config.host(host);
                config.port(port);
                Ok(connect(&config).await?)
            }
            connected => Ok(connected?),
        }
    }
}

async fn connect(config: &Config) -> Result<(Client<Wire>, Wire), Native> {
    let wire = Wire::new(TcpStream::connect_named(config).await?);
    // Rare and large: tens of kilobytes of the stack in each future that waits for it.
    let client = Box::pin(Client::connect(config.clone(), wire.clone())).await?;
    Ok((client, wire))
}

impl Driver for Server {
    type Key = Key;
    type Error = ServerError;
    type Session = ServerSession;

    const SYSTEM: &'static str = "microsoft.sql_server";
    const BATCH: usize = statement::BATCH;

    /// Those who wait join the queue anew with each slice, at its tail. Where the young do that more often
    /// than the old, they let them pass. Simulated, 40 processes in a queue of 2 s: nobody waits longer than
    /// twice the mean, and with slices of 0.9 s for everybody nine times.
    fn slice(waited: Duration) -> Duration {
        let grown = 0.05 + 0.13 * (waited.as_secs_f64() / 0.2).ln_1p();
        Duration::from_secs_f64(grown.min(0.9))
    }

    fn derive(key: &Key, label: &str) -> Key {
        // No key has a NUL in it.
        Key::hashed(&format!("{label}\0{key}"))
    }

    /// A writer who joins the queue anew is behind the readers who came meanwhile.
    fn turnstile(key: &Key) -> Option<Key> {
        Some(Self::derive(key, "turnstile"))
    }

    fn advice(error: &ServerError) -> Option<String> {
        matches!(error, ServerError::Hidden(_)).then(|| error.to_string())
    }

    async fn open(&self, options: &SessionOptions) -> Result<ServerSession, ServerError> {
        let (client, wire) = self.dial(&options.name).await?;
        ServerSession::new(client, wire).await
    }
}

impl SharedDriver for Server {}

impl UpdateDriver for Server {}

/// From update to exclusive a hold goes by `upgrade` alone.
impl ModeDriver<Mode> for Server {
    const CONVERTS: bool = false;
}

impl UrlDriver for Server {
    fn from_url(url: &str) -> Result<Self, ServerError> {
        url::parse(url).map(Self::from)
    }
}

impl fmt::Debug for Server {
    /// Without the configuration: it has the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("address", &self.config.get_addr()).finish_non_exhaustive()
    }
}
