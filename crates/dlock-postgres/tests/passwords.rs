//! No error, no trace and no `Debug` shows the password of a URL, whatever is wrong with it.

use dlock_postgres::Locks;
use dlock_testkit::server::Postgres;
use std::error::Error;
use std::fmt::Debug;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio_postgres::{Config, NoTls};
use tracing_subscriber::fmt::MakeWriter;

const PASSWORD: &str = "hunter2";

/// What was traced, by any thread.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn start() -> Self {
        let log = Self::default();
        let level = tracing_subscriber::filter::LevelFilter::TRACE;
        let subscriber =
            tracing_subscriber::fmt().with_max_level(level).with_writer(log.clone()).finish();
        tracing::subscriber::set_global_default(subscriber).expect("the first one");
        log
    }

    fn text(&self) -> String {
        let bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

fn is_silent(shown: &str) {
    assert!(!shown.contains(PASSWORD), "{shown}");
}

/// Neither it nor any of its sources tells, and it says something.
fn tells_nothing(url: &str, error: &(dyn Error + 'static)) {
    let mut next = Some(error);
    while let Some(error) = next {
        is_silent(&format!("{error} {error:?} {error:#?}"));
        assert!(!error.to_string().is_empty(), "{url}");
        next = error.source();
    }
}

fn shows_nothing(thing: &impl Debug) {
    is_silent(&format!("{thing:?} {thing:#?}"));
}

/// Whatever can be wrong with it, the password's own characters included.
fn wrong_urls() -> Vec<String> {
    let urls = [
        "",
        "PASSWORD",
        "postgres://",
        "postgres://app:PASSWORD@",
        "postgres://app:PASSWORD@127.0.0.1:port/db",
        "postgres://app:PASSWORD@127.0.0.1:99999/db",
        "postgres://app:PASSWORD%zz@127.0.0.1/db",
        "postgres://app:PASSWORD@[::1/db",
        "postgres://app:a@PASSWORD@127.0.0.1:1/db",
        "postgres://app:a/PASSWORD@127.0.0.1:1/db",
        "postgres://app:a?PASSWORD@127.0.0.1:1/db",
        "postgres://app:PASSWORD@127.0.0.1:1/db?nonsense=1",
        "postgres://app@127.0.0.1:1/db?password=PASSWORD&x",
        "postgres://app@127.0.0.1:1/db?passwort=PASSWORD",
        "postgres://app:PASSWORD@127.0.0.1:1/db?sslmode=perhaps",
        "postgres://app:PASSWORD@127.0.0.1:1/db?target_session_attrs=standby",
        "postgres://app:PASSWORD@127.0.0.1:1/db",
        "postgres://app:PASSWORD@/db?host=/nowhere",
        "mysql://app:PASSWORD@127.0.0.1/db",
        "app:PASSWORD@127.0.0.1/db",
        "host=127.0.0.1 port=1 user=app password=PASSWORD",
        "host=127.0.0.1 port=1 user=app password='PASSWORD",
        "host=127.0.0.1 port=x user=app password=PASSWORD",
        "host=127.0.0.1 user=app password = PASSWORD 'x'",
        "password=PASSWORD nonsense=1",
    ];
    urls.into_iter().map(|url| url.replace("PASSWORD", PASSWORD)).collect()
}

async fn is_wrong(url: &str) {
    let connected = tokio::time::timeout(Duration::from_secs(15), Locks::connect(url)).await;
    let error = connected.expect("an answer").expect_err("a wrong URL");
    tells_nothing(url, &error);
    if let Ok(config) = url.parse::<Config>() {
        let builder = Locks::builder(config);
        shows_nothing(&builder);
        let locks = builder.build().expect("a thread");
        shows_nothing(&locks);
        let error = locks.try_lock("k").await.expect_err("no session");
        tells_nothing(url, &error);
    }
}

/// A role with a password, and what it is on a server that asks for it.
async fn server_with_a_password() -> (Postgres, String) {
    let hba = "host all postgres 127.0.0.1/32 trust\nhost all all 127.0.0.1/32 scram-sha-256\n";
    let server = Postgres::start_with_rules(&[], hba).expect("a PostgreSQL server");
    let admin = server.url().parse::<Config>().expect("a URL");
    let (admin, connection) = admin.connect(NoTls).await.expect("a connection");
    tokio::spawn(connection);
    let role = format!("CREATE ROLE app LOGIN PASSWORD '{PASSWORD}'");
    admin.batch_execute(&role).await.expect("a role");
    let url = server.url().replace("postgres@", &format!("app:{PASSWORD}@"));
    (server, url)
}

/// A whole life, with a right password and then with a server that goes away.
async fn lives(server: &Postgres, url: &str) {
    let locks = Locks::connect(url).await.expect("a session");
    let held = locks.lock("k").await.expect("a lock");
    shows_nothing(&locks);
    shows_nothing(&held);
    shows_nothing(&locks.key("k").expect("a key"));
    shows_nothing(&locks.holders().await.expect("holders"));
    shows_nothing(&locks.check().await.expect("a check-up"));
    let mut alone = locks.key("alone").expect("a key").alone().lock().await.expect("a lock");
    shows_nothing(&alone);
    shows_nothing(alone.session());
    server.stop().expect("an end");
    tells_nothing(url, &held.lost().await);
    let error = locks.lock_within("k", Duration::from_millis(500)).await.expect_err("no server");
    tells_nothing(url, &error);
    let error = Locks::connect(url).await.expect_err("no server");
    tells_nothing(url, &error);
    locks.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_shows_the_password() {
    let log = Log::start();
    for url in wrong_urls() {
        is_wrong(&url).await;
    }
    let (server, url) = server_with_a_password().await;
    is_wrong(&url.replace(PASSWORD, &format!("not-{PASSWORD}"))).await;
    lives(&server, &url).await;
    let traced = log.text();
    assert!(traced.contains("a session of locks has ended"), "nothing is traced: {traced}");
    is_silent(&traced);
}
