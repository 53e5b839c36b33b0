//! Connections to the server under test, and looks at it.

use crate::processes::processes;
use dlock_mysql::mysql_async::prelude::Queryable;
use dlock_mysql::mysql_async::{Conn, Opts, OptsBuilder};
use dlock_testkit::server::{Engine, Maria, Mysql, Server};
use std::net::{SocketAddr, ToSocketAddrs};
use std::time::{Duration, Instant};

/// Which of the two servers it is.
pub(crate) trait Flavour: Engine {
    const IS_MARIADB: bool;
}

impl Flavour for Mysql {
    const IS_MARIADB: bool = false;
}

impl Flavour for Maria {
    const IS_MARIADB: bool = true;
}

/// Whether a case with a server of its own can run: not where one was given by a URL.
pub(crate) fn can_be_started<E: Engine>() -> bool {
    std::env::var_os(E::URL).is_none()
}

/// How to connect to the server that the tests share.
pub(crate) fn opts<E: Engine>() -> OptsBuilder {
    let server = Server::<E>::shared().unwrap();
    OptsBuilder::from_opts(Opts::from_url(server.url()).unwrap()).prefer_socket(false)
}

/// A connection of its own.
pub(crate) async fn conn<E: Engine>() -> Conn {
    Conn::new(opts::<E>()).await.unwrap()
}

/// Where the server listens.
pub(crate) fn address<E: Engine>() -> SocketAddr {
    let opts = Opts::from(opts::<E>());
    (opts.ip_or_hostname(), opts.tcp_port()).to_socket_addrs().unwrap().next().unwrap()
}

/// The same server, by way of a proxy.
pub(crate) fn through<E: Engine>(proxy: SocketAddr) -> OptsBuilder {
    opts::<E>().ip_or_hostname(proxy.ip().to_string()).tcp_port(proxy.port())
}

/// The number that a statement gives, `None` for NULL.
pub(crate) async fn number(conn: &mut Conn, statement: &str) -> Option<i64> {
    conn.query_first::<Option<i64>, _>(statement).await.unwrap().unwrap()
}

/// The code of the error that a statement gives.
pub(crate) async fn code(conn: &mut Conn, statement: &str) -> u16 {
    let answer = conn.query_first::<Option<i64>, _>(statement).await;
    match answer {
        Err(dlock_mysql::mysql_async::Error::Server(error)) => error.code,
        other => panic!("{statement}: {other:?}"),
    }
}

/// Who holds the key.
pub(crate) async fn holder(observer: &mut Conn, key: &str) -> Option<i64> {
    number(observer, &format!("SELECT IS_USED_LOCK('{key}')")).await
}

/// Who waits for the key, if anyone.
pub(crate) async fn waiter(observer: &mut Conn, key: &str) -> Option<u32> {
    let processes = processes(observer).await.unwrap();
    processes.iter().find(|it| it.awaits(key)).map(|it| it.id)
}

/// Waits until somebody waits for the key.
pub(crate) async fn until_awaited(observer: &mut Conn, key: &str) -> u32 {
    let start = Instant::now();
    loop {
        if let Some(id) = waiter(observer, key).await {
            return id;
        }
        assert!(start.elapsed() < Duration::from_secs(20), "nobody came to wait for {key}");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// Waits until nobody holds or awaits the key, and says how long that took.
pub(crate) async fn until_free(observer: &mut Conn, key: &str) -> Duration {
    let start = Instant::now();
    while holder(observer, key).await.is_some() || waiter(observer, key).await.is_some() {
        assert!(start.elapsed() < Duration::from_secs(20), "{key} is held or awaited");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    start.elapsed()
}

/// Waits until a session sleeps (`SELECT SLEEP`).
pub(crate) async fn until_sleeping(observer: &mut Conn, id: u32) {
    let start = Instant::now();
    while !processes(observer).await.unwrap().iter().any(|it| it.id == id && it.sleeps()) {
        assert!(start.elapsed() < Duration::from_secs(20), "{id} does not sleep");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}
