use dlock_core::Wait;
use dlock_postgres::{Key, Lock, Number, Session};
use dlock_testkit::server::Postgres;
use std::net::{SocketAddr, ToSocketAddrs};
use std::time::{Duration, Instant};
use tokio_postgres::config::Host;
use tokio_postgres::types::Type;
use tokio_postgres::{Client, Config, NoTls};

/// The server that these tests share: it may be anybody's.
pub(crate) fn config() -> Config {
    let server = Postgres::shared().expect("a PostgreSQL server");
    server.url().parse().expect("a PostgreSQL URL")
}

/// A server of one's own.
pub(crate) fn private() -> (Postgres, Config) {
    let server = Postgres::start(&[]).expect("a PostgreSQL server");
    let config = server.url().parse().expect("a PostgreSQL URL");
    (server, config)
}

pub(crate) async fn connect() -> Client {
    connect_to(&config()).await
}

pub(crate) async fn connect_to(config: &Config) -> Client {
    let (client, connection) = config.connect(NoTls).await.expect("a connection");
    tokio::spawn(connection);
    client
}

/// Where the server listens.
pub(crate) fn address() -> SocketAddr {
    let config = config();
    let [Host::Tcp(host), ..] = config.get_hosts() else { panic!("a server on TCP") };
    let port = config.get_ports().first().copied().unwrap_or(5432);
    (host.as_str(), port).to_socket_addrs().unwrap().next().unwrap()
}

/// The same user and database, by way of what listens here.
pub(crate) fn towards(proxy: SocketAddr) -> Config {
    let (config, mut through) = (config(), Config::new());
    through.host(proxy.ip().to_string()).port(proxy.port());
    config.get_user().map(|user| through.user(user));
    config.get_password().map(|password| through.password(password));
    config.get_dbname().map(|name| through.dbname(name));
    through
}

/// The first column of the first row, as text.
pub(crate) async fn show(client: &Client, statement: &str) -> String {
    let rows = client.simple_query(statement).await.expect(statement);
    let row = rows.iter().find_map(|message| match message {
        tokio_postgres::SimpleQueryMessage::Row(row) => row.get(0),
        _ => None,
    });
    row.unwrap_or_default().to_owned()
}

pub(crate) async fn pid(client: &Client) -> u32 {
    show(client, "SELECT pg_backend_pid()").await.parse().expect("a pid")
}

/// A session that looks at the locks.
pub(crate) struct Eye(Client);

impl Eye {
    pub(crate) async fn open() -> Self {
        Self::at(&config()).await
    }

    pub(crate) async fn at(config: &Config) -> Self {
        Self(connect_to(config).await)
    }

    /// How many sessions hold and await the key.
    pub(crate) async fn sees(&self, key: impl Into<Key>) -> (i64, i64) {
        let (number, form) = match key.into().number() {
            Number::Single(number) => (number, 1_i16),
            Number::Pair(one, two) => (i64::from(one) << 32 | i64::from(two.cast_unsigned()), 2),
        };
        let count = "SELECT count(*) FILTER (WHERE granted), count(*) FILTER (WHERE NOT granted) \
                     FROM pg_locks WHERE locktype = 'advisory' AND objsubid = $2 \
                     AND (classid::int8 << 32) | objid::int8 = $1 \
                     AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
        let parameters: [(&(dyn tokio_postgres::types::ToSql + Sync), Type); 2] =
            [(&number, Type::INT8), (&form, Type::INT2)];
        let row = self.0.query_typed_one(count, &parameters).await.expect("the eye");
        (row.get(0), row.get(1))
    }

    /// Waits until it sees so many holders and waiters, for two seconds at most.
    pub(crate) async fn until(&self, key: impl Into<Key>, seen: (i64, i64)) {
        let (key, start) = (key.into(), Instant::now());
        loop {
            let now = self.sees(key.clone()).await;
            if now == seen {
                return;
            }
            assert!(start.elapsed() < Duration::from_secs(2), "{key}: {now:?}, not {seen:?}");
            // On any runtime.
            dlock_core::sleep(Duration::from_millis(1)).await;
        }
    }
}

/// Both halves of a session.
pub(crate) async fn session() -> Session {
    session_at(&config()).await
}

pub(crate) async fn session_at(config: &Config) -> Session {
    let (client, connection) = config.connect(NoTls).await.expect("a connection");
    Session::new(client, connection)
}

/// A lock over a session of its own that holds the key.
pub(crate) async fn holder(key: impl Into<Key>) -> Lock<Client> {
    holder_at(&config(), key).await
}

/// Begins a transaction by hand, and has it fail.
pub(crate) async fn fail(client: &Client) {
    client.batch_execute("BEGIN").await.unwrap();
    client.batch_execute("SELECT 1/0").await.unwrap_err();
}

/// The same on this server.
pub(crate) async fn holder_at(config: &Config, key: impl Into<Key>) -> Lock<Client> {
    let mut holder = Lock::new(connect_to(config).await, key.into()).unwrap();
    assert!(holder.acquire(Wait::No).await.unwrap());
    holder
}
