use super::connector::{By, Connected, Connector};
use super::session::ServerSession;
use super::{ServerError, pooler, turnstile};
use crate::Key;
use dlock_core::Wait;
use dlock_locks::{Driver, SessionOptions, SharedDriver, TlsDriver};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio_postgres::config::TargetSessionAttrs;
use tokio_postgres::error::SqlState;
use tokio_postgres::tls::{MakeTlsConnect, TlsConnect};
use tokio_postgres::{Config, NoTls, Socket};

/// A server to open sessions on, and how TLS is made.
#[derive(Clone)]
pub struct Server {
    config: Config,
    connector: Arc<dyn Connector>,
}

/// What every session begins with: no limits of the role's, nobody's names. It is set by start-up options, so
/// that nothing is set later.
/// <https://www.postgresql.org/docs/current/runtime-config-client.html>
const CLEAN: &str = " -c search_path=pg_catalog -c statement_timeout=0 -c lock_timeout=0 \
     -c idle_in_transaction_session_timeout=0 -c client_min_messages=error \
     -c default_transaction_isolation=read\\ committed -c default_transaction_read_only=off \
     -c default_transaction_deferrable=off";

/// How the server finds out that a machine has vanished: within half a minute.
/// <https://www.postgresql.org/docs/current/runtime-config-connection.html#RUNTIME-CONFIG-TCP-SETTINGS>
const KEEPALIVES: &str =
    " -c tcp_keepalives_idle=10 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=3";
const SECONDS_5: Duration = Duration::from_secs(5);

impl From<Config> for Server {
    /// Without TLS, until [`LocksBuilder::tls`](crate::LocksBuilder::tls) brings it.
    fn from(config: Config) -> Self {
        Self::new(config, Arc::new(By(NoTls)))
    }
}

impl Server {
    pub(super) fn new(config: Config, connector: Arc<dyn Connector>) -> Self {
        Self { config, connector }
    }

    /// A session of the native driver's with nothing but a name.
    pub(super) async fn plain(&self, name: &str) -> Result<Connected, ServerError> {
        self.connector.connect(&self.base(name)).await
    }

    /// The same for the caller's own use: both sides look whether the other is there, since nobody pings.
    pub(super) async fn lasting(&self, name: &str) -> Result<Connected, ServerError> {
        let mut config = self.base(name);
        let settings = config.get_options().unwrap_or_default().to_owned() + KEEPALIVES;
        config.options(settings);
        if config.get_keepalives_idle() == Config::new().get_keepalives_idle() {
            config.keepalives_idle(Duration::from_secs(10)).keepalives_interval(SECONDS_5);
            config.keepalives_retries(3);
        }
        self.connector.connect(&config).await
    }

    /// The name in the configuration gives way to one that was asked for, and is better than none. Of several
    /// hosts one that takes writes is meant.
    fn base(&self, name: &str) -> Config {
        let mut config = self.config.clone();
        if name != "dlock" || config.get_application_name().is_none() {
            config.application_name(name);
        }
        let hosts = config.get_hosts().len().max(config.get_hostaddrs().len());
        if hosts > 1 && config.get_target_session_attrs() == TargetSessionAttrs::Any {
            config.target_session_attrs(TargetSessionAttrs::ReadWrite);
        }
        config
    }

    fn clean(&self, options: &SessionOptions, has_lease: bool) -> Config {
        let lease = Wait::millis(options.lease);
        let mut config = self.base(&options.name);
        let mut settings = config.get_options().unwrap_or_default().to_owned() + CLEAN;
        if has_lease {
            settings.push_str(&format!(" -c idle_session_timeout={lease}"));
        }
        settings.push_str(&format!(" -c tcp_user_timeout={lease}"));
        config.options(settings).tcp_user_timeout(options.lease);
        config
    }

    async fn connect(
        &self,
        options: &SessionOptions,
        has_lease: bool,
    ) -> Result<ServerSession, ServerError> {
        let (client, connection) = self.connector.connect(&self.clean(options, has_lease)).await?;
        let (alive, ended) = watch::channel(());
        tokio::task::spawn_local(async move {
            // What it ends with, the next statement tells.
            let _ = connection.await;
            drop(alive);
        });
        let session = ServerSession::new(client, ended, options.lease).await?;
        pooler::refuse(self, &session.client, session.pid).await?;
        Ok(session)
    }
}

impl<T> TlsDriver<T> for Server
where
    T: MakeTlsConnect<Socket> + Clone + Send + Sync + 'static,
    T::Stream: Send + 'static,
    T::TlsConnect: Send,
    <T::TlsConnect as TlsConnect<Socket>>::Future: Send,
{
    fn with_tls(self, connector: T) -> Self {
        Self::new(self.config, Arc::new(By(connector)))
    }
}

impl Driver for Server {
    type Key = Key;
    type Error = ServerError;
    type Session = ServerSession;

    const SYSTEM: &'static str = "postgresql";
    const IN_FLIGHT: usize = 2;

    fn derive(key: &Key, label: &str) -> Key {
        key.derived(label)
    }

    fn turnstile(key: &Key) -> Option<Key> {
        Some(turnstile::turnstile(key))
    }

    /// The fairest rule of those simulated: `slice.rs` says more.
    fn slice(waited: Duration) -> Duration {
        let grown = 0.05 + 0.13 * (waited.as_secs_f64() / 0.2).ln_1p();
        Duration::from_secs_f64(grown.min(0.9))
    }

    fn advice(error: &ServerError) -> Option<String> {
        match error {
            ServerError::Setup { advice, .. } => Some(advice.to_string()),
            _ => None,
        }
    }

    async fn open(&self, options: &SessionOptions) -> Result<ServerSession, ServerError> {
        match self.connect(options, true).await {
            Err(ServerError::Native(error))
                if error.code() == Some(&SqlState::UNDEFINED_OBJECT) =>
            {
                tracing::warn!(
                    "the server is older than PostgreSQL 14 and cannot end idle sessions"
                );
                self.connect(options, false).await
            }
            opened => opened,
        }
    }
}

impl SharedDriver for Server {}

impl fmt::Debug for Server {
    /// Without the configuration: it has the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("hosts", &self.config.get_hosts()).finish_non_exhaustive()
    }
}
