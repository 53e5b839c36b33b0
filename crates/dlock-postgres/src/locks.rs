//! The driver of [`Locks`]: sessions of its own, with a lease.

use crate::answer::{Native, lacks_plpgsql, truth};
use crate::statement::{self, Form};
use crate::{Key, Mode, Number};
use dlock_core::Wait;
use dlock_locks::{Ask, Driver, SessionOptions, SharedDriver, What};
use std::cell::Cell;
use std::error;
use std::fmt;
use std::time::Duration;
use tokio::sync::watch;
use tokio_postgres::error::SqlState;
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::types::Type;
use tokio_postgres::{Client, Config, NoTls, Socket, Statement};

/// Locks that own their sessions.
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use dlock_postgres::{Locks, Server};
///
/// let locks = Locks::builder(Server::new("host=db user=app".parse()?)).build()?;
/// let held = locks.lock("invoice:42").await?;
/// // … critical section …
/// held.release().await?;
/// # Ok(())
/// # }
/// ```
pub type Locks<T = NoTls> = dlock_locks::Locks<Server<T>>;

/// Settings of [`Locks`].
pub type LocksBuilder<T = NoTls> = dlock_locks::LocksBuilder<Server<T>>;

/// A lock of [`Locks`] that is held.
pub type Held<T = NoTls> = dlock_locks::Held<Server<T>>;

/// A server to open sessions on, and how TLS is made.
#[derive(Clone)]
pub struct Server<T = NoTls> {
    config: Config,
    tls: T,
}

impl Server {
    /// Without TLS.
    #[must_use]
    pub fn new(config: Config) -> Self {
        Self { config, tls: NoTls }
    }
}

impl<T> Server<T> {
    /// With this connector.
    pub fn tls<U>(self, tls: U) -> Server<U> {
        Server { config: self.config, tls }
    }

    /// No limits of the role's, nobody's names, and the lease: by start-up options, so that nothing is set
    /// later.
    fn config(&self, options: &SessionOptions, has_lease: bool) -> Config {
        let lease = Wait::millis(options.lease);
        let mut settings = self.config.get_options().unwrap_or_default().to_owned();
        settings.push_str(
            " -c search_path=pg_catalog -c statement_timeout=0 -c lock_timeout=0 \
             -c idle_in_transaction_session_timeout=0 -c client_min_messages=error",
        );
        if has_lease {
            settings.push_str(&format!(" -c idle_session_timeout={lease}"));
        }
        settings.push_str(&format!(" -c tcp_user_timeout={lease}"));
        let mut config = self.config.clone();
        config.options(settings).application_name(&options.name).tcp_user_timeout(options.lease);
        config
    }
}

impl<T> Driver for Server<T>
where
    T: MakeTlsConnect<Socket, Stream: 'static> + Clone + Send + Sync + 'static,
{
    type Key = Key;
    type Error = LocksError;
    type Session = ServerSession;

    const SYSTEM: &'static str = "postgresql";
    const IN_FLIGHT: usize = 2;

    fn derive(key: &Key, label: &str) -> Key {
        key.derived(label)
    }

    /// The fairest rule of those simulated: `slice.rs` says more.
    fn slice(waited: Duration) -> Duration {
        let grown = 0.05 + 0.13 * (waited.as_secs_f64() / 0.2).ln_1p();
        Duration::from_secs_f64(grown.min(0.9))
    }

    async fn open(&self, options: &SessionOptions) -> Result<ServerSession, LocksError> {
        match self.connect(options, true).await {
            Err(LocksError::Native(error)) if error.code() == Some(&SqlState::UNDEFINED_OBJECT) => {
                tracing::warn!(
                    "the server is older than PostgreSQL 14 and cannot end idle sessions"
                );
                self.connect(options, false).await
            }
            opened => opened,
        }
    }
}

impl<T> SharedDriver for Server<T> where
    T: MakeTlsConnect<Socket, Stream: 'static> + Clone + Send + Sync + 'static
{
}

impl<T: MakeTlsConnect<Socket, Stream: 'static> + Clone> Server<T> {
    async fn connect(
        &self,
        options: &SessionOptions,
        has_lease: bool,
    ) -> Result<ServerSession, LocksError> {
        let config = self.config(options, has_lease);
        let (client, connection) = config.connect(self.tls.clone()).await?;
        let (alive, ended) = watch::channel(());
        tokio::task::spawn_local(async move {
            // What it ends with, the next statement tells.
            let _ = connection.await;
            drop(alive);
        });
        ServerSession::new(client, ended, options.lease).await
    }
}

/// A session of [`Locks`].
pub struct ServerSession {
    client: Client,
    ended: watch::Receiver<()>,
    batch: Statement,
    server: String,
    has_lease: bool,
    /// Whether the server has no `plpgsql` for this role.
    is_plain: Cell<bool>,
}

impl ServerSession {
    async fn new(
        client: Client,
        ended: watch::Receiver<()>,
        lease: Duration,
    ) -> Result<Self, LocksError> {
        let types = [Type::INT8_ARRAY, Type::INT4_ARRAY, Type::BOOL_ARRAY, Type::BOOL_ARRAY];
        let look = client.query_typed(statement::SESSION, &[]);
        let batch = client.prepare_typed(statement::BATCH, &types);
        let (rows, batch) = futures::future::join(look, batch).await;
        let (rows, batch) = (rows?, batch?);
        let [row] = rows.as_slice() else { return Err(LocksError::Answer) };
        if row.try_get(0)? {
            return Err(LocksError::Standby);
        }
        let taken: Option<&str> = row.try_get(2)?;
        let has_lease = taken
            .and_then(crate::answer::duration)
            .is_some_and(|it| it > Duration::ZERO && it <= lease);
        let server = row.try_get(1)?;
        Ok(Self { client, ended, batch, server, has_lease, is_plain: Cell::new(false) })
    }

    async fn run_batch(&self, asks: &[&Ask<Key>]) -> Result<Vec<bool>, LocksError> {
        if asks.is_empty() {
            return Ok(Vec::new());
        }
        let (first, second): (Vec<i64>, Vec<Option<i32>>) =
            asks.iter().map(|it| halves(it)).unzip();
        let tries: Vec<bool> = asks.iter().map(|ask| ask.what == What::Try).collect();
        let shared: Vec<bool> =
            asks.iter().map(|it| it.mode == dlock_locks::Mode::Shared).collect();
        let rows = self.client.query(&self.batch, &[&first, &second, &tries, &shared]).await?;
        if rows.len() != asks.len() {
            return Err(LocksError::Answer);
        }
        rows.iter().map(|row| row.try_get(0).map_err(LocksError::from)).collect()
    }
}

impl dlock_locks::Session for ServerSession {
    type Key = Key;
    type Error = LocksError;

    fn server(&self) -> &str {
        &self.server
    }

    fn has_lease(&self) -> bool {
        self.has_lease
    }

    async fn run(&self, asks: &[Ask<Key>]) -> Result<Vec<bool>, LocksError> {
        let (undos, others): (Vec<_>, Vec<_>) = asks.iter().partition(|ask| ask.what == What::Undo);
        // Rare: an answer went missing. To unlock what is not held would be a warning in the server's log.
        for ask in undos {
            let undo = statement::unlock_if_held(mode(ask.mode), ask.key.number());
            self.client.batch_execute(&undo).await?;
        }
        let mut truths = self.run_batch(&others).await?.into_iter();
        let truth = |ask: &Ask<Key>| ask.what == What::Undo || truths.next() == Some(true);
        Ok(asks.iter().map(truth).collect())
    }

    async fn wait(
        &self,
        key: &Key,
        asked: dlock_locks::Mode,
        limit: Duration,
    ) -> Result<bool, LocksError> {
        let form = if self.is_plain.get() { Form::Plain } else { Form::Quiet };
        let millis = Wait::millis(limit).max(1);
        let text = statement::wait(form, mode(asked), key.number(), millis);
        let sent = self.client.simple_query_raw(&text).await?;
        match crate::answer::read(std::pin::pin!(sent)).await {
            Ok(rows) => Ok(truth(&rows) == Some(true)),
            Err(error) if error.code() == Some(&SqlState::LOCK_NOT_AVAILABLE) => Ok(false),
            Err(error) if form == Form::Quiet && lacks_plpgsql(&error) => {
                self.is_plain.set(true);
                Ok(false)
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn ping(&self) -> Result<(), LocksError> {
        Ok(self.client.batch_execute("").await?)
    }

    fn is_ended(&self) -> bool {
        self.client.is_closed()
    }

    async fn ended(&self) {
        let mut ended = self.ended.clone();
        while ended.changed().await.is_ok() {}
    }

    /// A dropped client says goodbye behind what was sent, and a closed socket frees an idle session's keys
    /// at once; what runs is a slice at most.
    async fn end(self) {
        let Self { client, mut ended, .. } = self;
        drop(client);
        while ended.changed().await.is_ok() {}
    }
}

fn mode(mode: dlock_locks::Mode) -> Mode {
    match mode {
        dlock_locks::Mode::Shared => Mode::Shared,
        // No other can be asked for here.
        _ => Mode::Exclusive,
    }
}

fn halves(ask: &Ask<Key>) -> (i64, Option<i32>) {
    match ask.key.number() {
        Number::Single(number) => (number, None),
        Number::Pair(one, two) => (one.into(), Some(two)),
    }
}

impl<T> fmt::Debug for Server<T> {
    /// Without the configuration: it has the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("hosts", &self.config.get_hosts()).finish_non_exhaustive()
    }
}

impl fmt::Debug for ServerSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerSession").field("server", &self.server).finish_non_exhaustive()
    }
}

/// Why a session of [`Locks`] could not do what it was asked to.
#[derive(Debug)]
#[non_exhaustive]
pub enum LocksError {
    /// The driver's error.
    Native(Native),
    /// The server is a standby, where a lock excludes nobody on the primary.
    Standby,
    /// The server answered something that no PostgreSQL would.
    Answer,
}

impl From<Native> for LocksError {
    fn from(error: Native) -> Self {
        Self::Native(error)
    }
}

impl fmt::Display for LocksError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Native(_) => "the database driver failed; its own error says why",
            Self::Standby => "this server is a standby: connect to the primary",
            Self::Answer => "the server answered something that no PostgreSQL would",
        })
    }
}

impl error::Error for LocksError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        if let Self::Native(error) = self { Some(error) } else { None }
    }
}
