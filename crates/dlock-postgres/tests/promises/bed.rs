use dlock_core::{Lend, SessionRef};
use dlock_postgres::{Advisory, AsSession, Key, Lock, Number, Session};
use dlock_testkit::bed::{Bed, SharedBed};
use dlock_testkit::server::Postgres;
use std::future::Future;
use std::marker::PhantomData;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::Arc;
use std::time::Duration;
use tokio_postgres::config::Host;
use tokio_postgres::types::Type;
use tokio_postgres::{Client, Config, Error, NoTls};

/// A kind of session.
pub(crate) trait Kind: Send + Sync + 'static {
    type Session: AsSession<Kept: 'static> + Send + Sync + 'static;
    const NAME: &'static str;

    fn open(config: &Config) -> impl Future<Output = Self::Session> + Send;

    /// The client as a lock over this session lends it.
    fn lent(client: LentBy<'_, Self::Session>) -> &Client;
}

type LentBy<'s, S> = <<S as AsSession>::Lend as Lend>::Of<'s, Client>;

/// A `&Client`. The client lives for as long as the process, as one in a `static` would.
pub(crate) enum Lent {}
/// An `Arc<Client>`.
pub(crate) enum Shared {}
/// A `Client`.
pub(crate) enum Owned {}
/// A `&mut Client`, as long-lived.
pub(crate) enum Exclusive {}
/// A [`Session`].
pub(crate) enum Both {}
/// An `Arc<Session>`.
pub(crate) enum SharedBoth {}
/// An object of a deadpool.
#[cfg(feature = "deadpool")]
pub(crate) enum Deadpool {}
/// An object of a bb8 pool.
#[cfg(feature = "bb8")]
pub(crate) enum Bb8 {}

impl Kind for Exclusive {
    type Session = &'static mut Client;
    const NAME: &'static str = "mut_client";

    async fn open(config: &Config) -> Self::Session {
        Box::leak(Box::new(connect(config).await))
    }

    fn lent(client: LentBy<'_, Self::Session>) -> &Client {
        client
    }
}

impl Kind for SharedBoth {
    type Session = Arc<Session>;
    const NAME: &'static str = "arc_session";

    async fn open(config: &Config) -> Self::Session {
        Arc::new(Both::open(config).await)
    }

    fn lent(client: LentBy<'_, Self::Session>) -> &Client {
        client
    }
}

#[cfg(feature = "deadpool")]
impl Kind for Deadpool {
    type Session = deadpool_postgres::Object;
    const NAME: &'static str = "deadpool";

    async fn open(config: &Config) -> Self::Session {
        let manager = deadpool_postgres::Manager::new(config.clone(), NoTls);
        let pool = deadpool_postgres::Pool::builder(manager).max_size(1).build().expect("a pool");
        pool.get().await.expect("an object")
    }

    fn lent(client: LentBy<'_, Self::Session>) -> &Client {
        client
    }
}

#[cfg(feature = "bb8")]
impl Kind for Bb8 {
    type Session = bb8::PooledConnection<'static, bb8_postgres::PostgresConnectionManager<NoTls>>;
    const NAME: &'static str = "bb8";

    async fn open(config: &Config) -> Self::Session {
        let manager = bb8_postgres::PostgresConnectionManager::new(config.clone(), NoTls);
        let pool = bb8::Pool::builder().max_size(1).build(manager).await.expect("a pool");
        pool.get_owned().await.expect("a connection")
    }

    fn lent(client: LentBy<'_, Self::Session>) -> &Client {
        client
    }
}

impl Kind for Lent {
    type Session = &'static Client;
    const NAME: &'static str = "ref_client";

    async fn open(config: &Config) -> Self::Session {
        Box::leak(Box::new(connect(config).await))
    }

    fn lent(client: LentBy<'_, Self::Session>) -> &Client {
        client
    }
}

impl Kind for Shared {
    type Session = Arc<Client>;
    const NAME: &'static str = "arc_client";

    async fn open(config: &Config) -> Self::Session {
        Arc::new(connect(config).await)
    }

    fn lent(client: LentBy<'_, Self::Session>) -> &Client {
        client
    }
}

impl Kind for Owned {
    type Session = Client;
    const NAME: &'static str = "client";

    async fn open(config: &Config) -> Self::Session {
        connect(config).await
    }

    fn lent(client: LentBy<'_, Self::Session>) -> &Client {
        client
    }
}

impl Kind for Both {
    type Session = Session;
    const NAME: &'static str = "session";

    async fn open(config: &Config) -> Self::Session {
        let (client, connection) = config.connect(NoTls).await.expect("a connection");
        Session::new(client, connection)
    }

    fn lent(client: LentBy<'_, Self::Session>) -> &Client {
        client
    }
}

async fn connect(config: &Config) -> Client {
    let (client, connection) = config.connect(NoTls).await.expect("a connection");
    tokio::spawn(connection);
    client
}

/// PostgreSQL, with the observer's session.
pub(crate) struct Place<K> {
    config: Config,
    observer: Client,
    kind: PhantomData<fn() -> K>,
}

impl<K: Kind> Place<K> {
    async fn lock_at(config: &Config, key: &str) -> Lock<K::Session> {
        Lock::new(K::open(config).await, key).expect("any text is a key")
    }

    async fn count(&self, key: &str, granted: bool) -> usize {
        let count = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 1 \
                     AND (classid::int8 << 32) | objid::int8 = $1 AND granted = $2";
        let parameters: [(&(dyn tokio_postgres::types::ToSql + Sync), _); 2] =
            [(&number(key), Type::INT8), (&granted, Type::BOOL)];
        let row = self.observer.query_typed_one(count, &parameters).await.expect("the observer");
        usize::try_from(row.get::<_, i64>(0)).expect("a count")
    }
}

fn number(key: &str) -> i64 {
    match Key::from(key).number() {
        Number::Single(number) => number,
        Number::Pair(..) => unreachable!("a text is one number"),
    }
}

impl<K: Kind> Bed for Place<K> {
    type Raw = Advisory<K::Session>;

    /// Waits go on in slices, each of which joins the queue anew.
    const FAIR: bool = false;
    /// A wait of a session that holds another key may be in a slice of 1.1 s.
    const FORGETS: Duration = Duration::from_millis(1_300);

    async fn new() -> Self {
        let server = Postgres::shared().expect("a PostgreSQL server");
        let config: Config = server.url().parse().expect("a PostgreSQL URL");
        Self { observer: connect(&config).await, config, kind: PhantomData }
    }

    async fn lock(&self, key: &str) -> Lock<K::Session> {
        Self::lock_at(&self.config, key).await
    }

    async fn hurried(&self, key: &str) -> Lock<K::Session> {
        let version = self.observer.query_one("SHOW server_version_num", &[]).await.unwrap();
        let newer = version.get::<_, String>(0).parse::<u32>().unwrap() >= 170_000;
        let more = if newer { " -c transaction_timeout=200" } else { "" };
        let mut config = self.config.clone();
        config.options(format!("-c lock_timeout=200 -c statement_timeout=200{more}"));
        Self::lock_at(&config, key).await
    }

    fn address(&self) -> Option<SocketAddr> {
        let port = self.config.get_ports().first().copied().unwrap_or(5432);
        match self.config.get_hosts().first()? {
            Host::Tcp(host) => (host.as_str(), port).to_socket_addrs().ok()?.next(),
            Host::Unix(_) => None,
        }
    }

    async fn lock_through(&self, proxy: SocketAddr, key: &str) -> Lock<K::Session> {
        let mut config = Config::new();
        config.host(proxy.ip().to_string()).port(proxy.port());
        self.config.get_user().map(|user| config.user(user));
        self.config.get_password().map(|password| config.password(password));
        self.config.get_dbname().map(|name| config.dbname(name));
        Self::lock_at(&config, key).await
    }

    async fn holders(&self, key: &str) -> usize {
        self.count(key, true).await
    }

    async fn waiters(&self, key: &str) -> usize {
        self.count(key, false).await
    }

    async fn kill(&self, key: &str) {
        let kill = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' \
                    AND objsubid = 1 AND (classid::int8 << 32) | objid::int8 = $1";
        self.observer.query_typed(kill, &[(&number(key), Type::INT8)]).await.expect("the observer");
    }

    fn echo(
        session: SessionRef<'_, Self::Raw>,
        number: i64,
    ) -> impl Future<Output = Result<i64, Error>> + Send {
        let client = K::lent(session);
        async move {
            let row = client.query_typed_one("SELECT $1", &[(&number, Type::INT8)]).await?;
            Ok(row.get(0))
        }
    }
}

impl<K: Kind<Session: Clone>> SharedBed for Place<K> {
    async fn locks<const N: usize>(&self, keys: [&str; N]) -> [Lock<K::Session>; N] {
        let session = K::open(&self.config).await;
        keys.map(|key| Lock::new(session.clone(), key).expect("any text is a key"))
    }
}
