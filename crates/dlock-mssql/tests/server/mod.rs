//! The server under test: that of `DLOCK_MSSQL_URL`, an ADO.NET string, else a stand-in that all
//! tests of the process share.

#![allow(dead_code, reason = "each test binary uses its part")]

use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};
use tiberius::{Client, Config};
use tokio::net::TcpStream;
use tokio_util::compat::{Compat, TokioAsyncWriteCompatExt};

/// A client over TCP.
pub(crate) type Tcp = Client<Compat<TcpStream>>;

/// Where the server is, and who may do everything there.
pub(crate) async fn config() -> Config {
    let url = tokio::task::spawn_blocking(url).await.expect("a stand-in");
    Config::from_ado_string(&url).expect("DLOCK_MSSQL_URL is an ADO.NET string")
}

/// Whether no server was given.
pub(crate) fn is_standin() -> bool {
    std::env::var_os("DLOCK_MSSQL_URL").is_none()
}

/// Its connection string. It blocks, where a stand-in has to be started.
pub(crate) fn url() -> String {
    std::env::var("DLOCK_MSSQL_URL").unwrap_or_else(|_| standin())
}

fn standin() -> String {
    static SHARED: Mutex<Option<standin_mssql::Server>> = Mutex::new(None);
    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    let server = shared.get_or_insert_with(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime").block_on(standin_mssql::Server::start()).expect("a stand-in")
    });
    server.url()
}

/// A new session.
pub(crate) async fn connect(config: &Config) -> Tcp {
    let stream = TcpStream::connect(config.get_addr()).await.expect("the server listens");
    over(stream, config).await
}

/// A new session that goes through a proxy.
pub(crate) async fn connect_through(proxy: SocketAddr, config: &Config) -> Tcp {
    over(TcpStream::connect(proxy).await.expect("the proxy listens"), config).await
}

async fn over(stream: TcpStream, config: &Config) -> Tcp {
    stream.set_nodelay(true).expect("a TCP socket");
    Client::connect(config.clone(), stream.compat_write()).await.expect("the server lets in")
}

/// Runs a batch.
pub(crate) async fn run(client: &mut Tcp, sql: &str) {
    client.simple_query(sql).await.expect(sql).into_results().await.expect(sql);
}

/// Takes a lock by hand.
pub(crate) async fn take(client: &mut Tcp, key: &str, mode: &str) {
    run(client, &format!("EXEC sp_getapplock N'{key}', '{mode}', 'Session', 0")).await;
}

/// The integer that a batch answers with.
pub(crate) async fn integer(client: &mut Tcp, sql: &str) -> i32 {
    let row = client.simple_query(sql).await.expect(sql).into_row().await.expect(sql);
    row.expect("a row").get(0).expect("an integer")
}

/// How many application locks on this key are held, or awaited.
pub(crate) async fn count(observer: &mut Tcp, key: &str, waiting: bool) -> usize {
    seen(observer, key, waiting).await.len()
}

/// The sessions that await this key and those that hold it, in that order.
pub(crate) async fn sessions(observer: &mut Tcp, key: &str) -> Vec<i32> {
    let mut all = seen(observer, key, true).await;
    all.extend(seen(observer, key, false).await);
    all
}

/// The sessions that hold this key, or await it.
pub(crate) async fn seen(observer: &mut Tcp, key: &str, waiting: bool) -> Vec<i32> {
    let statuses = if waiting { "'WAIT', 'CONVERT'" } else { "'GRANT'" };
    let sql = format!(
        "SELECT request_session_id FROM sys.dm_tran_locks WHERE resource_type = 'APPLICATION' \
         AND resource_database_id = DB_ID() AND request_status IN ({statuses}) \
         AND resource_description LIKE '%:[[]' + @P1 + ']:(%'"
    );
    let rows = observer.query(sql, &[&key]).await.expect("the observer").into_first_result().await;
    rows.expect("rows").iter().map(|row| row.get(0).expect("a number")).collect()
}
