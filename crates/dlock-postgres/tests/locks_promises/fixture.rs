use dlock_core::Lock;
use dlock_postgres::{Advisory, Key, LocksBuilder, Number, Server, Session};
use dlock_testkit::locks::{
    FenceFixture, Fixture, LinkFixture, LockFixture, MachineFixture, ProcessFixture,
};
use dlock_testkit::proxy::Proxy;
use dlock_testkit::server::Postgres;
use std::env;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::{Arc, Mutex, PoisonError};
use tokio_postgres::config::Host;
use tokio_postgres::types::Type;
use tokio_postgres::{Client, Config, NoTls};

/// A server, and an observer's session there.
pub(crate) struct Place {
    config: Config,
    url: String,
    observer: tokio::sync::Mutex<Arc<Client>>,
    private: Option<Postgres>,
    frozen: Mutex<Vec<u32>>,
}

const HELD: &str = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 1 \
                    AND (classid::int8 << 32) | objid::int8 = $1 AND granted = $2";
const KILL: &str = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' \
                    AND objsubid = 1 AND granted AND (classid::int8 << 32) | objid::int8 = $1";
const SESSIONS: &str = "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' \
                        AND pid <> pg_backend_pid()";

impl Place {
    async fn at_url(url: &str, private: Option<Postgres>) -> Self {
        let config: Config = url.parse().expect("a PostgreSQL URL");
        let observer = tokio::sync::Mutex::new(Arc::new(connect(&config).await));
        let frozen = Mutex::default();
        Self { config, url: url.to_owned(), observer, private, frozen }
    }

    /// A new one where the server was away.
    async fn observer(&self) -> Arc<Client> {
        let mut observer = self.observer.lock().await;
        if observer.is_closed() {
            *observer = Arc::new(connect(&self.config).await);
        }
        Arc::clone(&observer)
    }

    async fn count(&self, key: &str, granted: bool) -> usize {
        let values: [(&(dyn tokio_postgres::types::ToSql + Sync), Type); 2] =
            [(&number(key), Type::INT8), (&granted, Type::BOOL)];
        let rows = self.observer().await.query_typed(HELD, &values).await.expect("the observer");
        usize::try_from(rows[0].get::<_, i64>(0)).expect("a count")
    }

    fn machine(&self) -> &Postgres {
        self.private.as_ref().expect("a private server")
    }

    fn address(&self) -> SocketAddr {
        let [Host::Tcp(host), ..] = self.config.get_hosts() else { panic!("a server on TCP") };
        let port = self.config.get_ports().first().copied().unwrap_or(5432);
        (host.as_str(), port).to_socket_addrs().expect("a host").next().expect("an address")
    }
}

async fn connect(config: &Config) -> Client {
    let (client, connection) = config.connect(NoTls).await.expect("a connection");
    tokio::spawn(connection);
    client
}

fn number(key: &str) -> i64 {
    match Key::from(key).number() {
        Number::Single(number) => number,
        Number::Pair(..) => unreachable!("a text is one number"),
    }
}

impl Fixture for Place {
    type Driver = Server;

    async fn new() -> Self {
        Self::at_url(Postgres::shared().expect("a PostgreSQL server").url(), None).await
    }

    fn builder(&self) -> LocksBuilder {
        dlock_postgres::Locks::builder(self.config.clone())
    }

    fn key(text: &str) -> Key {
        text.into()
    }

    async fn holders(&self, key: &str) -> usize {
        self.count(key, true).await
    }

    async fn waiters(&self, key: &str) -> usize {
        self.count(key, false).await
    }

    async fn kill(&self, key: &str) {
        self.observer()
            .await
            .query_typed(KILL, &[(&number(key), Type::INT8)])
            .await
            .expect("the observer");
    }
}

impl LinkFixture for Place {
    type Link = Proxy;

    fn link(&self) -> (Proxy, LocksBuilder) {
        let proxy = Proxy::start(self.address()).expect("a proxy");
        let mut config = Config::new();
        config.host(proxy.addr().ip().to_string()).port(proxy.addr().port());
        self.config.get_user().map(|user| config.user(user));
        self.config.get_password().map(|password| config.password(password));
        self.config.get_dbname().map(|name| config.dbname(name));
        (proxy, dlock_postgres::Locks::builder(config))
    }
}

impl LockFixture for Place {
    type Raw = Advisory<Session>;

    async fn lock(&self, key: &str) -> Lock<Self::Raw> {
        let (client, connection) = self.config.connect(NoTls).await.expect("a connection");
        Lock::new(Session::new(client, connection), key).expect("any text is a key")
    }
}

impl MachineFixture for Place {
    fn is_private() -> bool {
        env::var_os("DLOCK_POSTGRES_URL").is_none()
    }

    async fn private() -> Self {
        let server = Postgres::start(&[]).expect("a PostgreSQL server");
        let url = server.url().to_owned();
        Self::at_url(&url, Some(server)).await
    }

    /// The main process serves nobody, and lets nobody in.
    async fn freeze(&self) {
        let rows = self.observer().await.query_typed(SESSIONS, &[]).await.expect("the observer");
        let mut frozen = self.frozen.lock().unwrap_or_else(PoisonError::into_inner);
        for row in rows {
            let pid = u32::try_from(row.get::<_, i32>(0)).expect("a process id");
            // It may have ended by itself.
            if self.machine().pause_backend(pid).is_ok() {
                frozen.push(pid);
            }
        }
        self.machine().pause().expect("a pause");
    }

    async fn thaw(&self) {
        self.machine().unpause().expect("an end of the pause");
        let mut frozen = self.frozen.lock().unwrap_or_else(PoisonError::into_inner);
        for pid in frozen.drain(..) {
            self.machine().continue_backend(pid).expect("an end of the pause");
        }
    }

    async fn stop(&self) {
        self.machine().stop().expect("an end");
    }

    async fn start(&self) {
        self.machine().restart().expect("a start");
    }
}

impl ProcessFixture for Place {
    fn url(&self) -> String {
        self.url.clone()
    }

    fn at(url: &str) -> LocksBuilder {
        dlock_postgres::Locks::builder(url.parse::<Config>().expect("a PostgreSQL URL"))
    }
}

impl FenceFixture for Place {
    type Connection = Client;

    async fn connection(url: &str) -> Client {
        connect(&url.parse().expect("a PostgreSQL URL")).await
    }
}
