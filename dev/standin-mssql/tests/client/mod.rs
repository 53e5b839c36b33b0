//! A tiberius client of a stand-in. Its command time-out of 30 s bounds every case.
#![allow(dead_code, reason = "each test binary uses its part")]

use std::time::Duration;

use standin_mssql::Server;
use tiberius::error::Error;
use tiberius::{Client, Config, ToSql};
use tokio::net::TcpStream;
use tokio_util::compat::{Compat, TokioAsyncWriteCompatExt};

pub(crate) type Sql = Client<Compat<TcpStream>>;

pub(crate) async fn connect(server: &Server) -> Sql {
    let config = Config::from_ado_string(&server.url()).expect("the server's own string");
    let stream = TcpStream::connect(config.get_addr()).await.expect("it listens");
    stream.set_nodelay(true).expect("a socket");
    Client::connect(config, stream.compat_write()).await.expect("it lets in")
}

/// The integer in the first column of the last row.
pub(crate) async fn integer(client: &mut Sql, sql: &str) -> Result<i32, Error> {
    bound(client, sql, &[]).await
}

/// The same with parameters.
pub(crate) async fn bound(client: &mut Sql, sql: &str, with: &[&dyn ToSql]) -> Result<i32, Error> {
    let sets = if with.is_empty() {
        client.simple_query(sql).await?.into_results().await?
    } else {
        client.query(sql, with).await?.into_results().await?
    };
    let row = sets.iter().flatten().next_back().expect("a row");
    Ok(row.get(0).expect("not NULL"))
}

pub(crate) async fn text(client: &mut Sql, sql: &str) -> String {
    let row = client.simple_query(sql).await.expect(sql).into_row().await.expect(sql);
    row.expect("a row").get::<&str, _>(0).expect("not NULL").to_owned()
}

pub(crate) async fn run(client: &mut Sql, sql: &str) -> Result<(), Error> {
    client.simple_query(sql).await?.into_results().await.map(drop)
}

/// The number of the error that a batch ends with.
pub(crate) async fn error(client: &mut Sql, sql: &str) -> u32 {
    run(client, sql).await.expect_err(sql).code().expect("an error of the server's")
}

pub(crate) const GET: &str = "DECLARE @r int; EXEC @r = sp_getapplock @Resource = @P1, \
    @LockMode = @P2, @LockOwner = @P3, @LockTimeout = @P4; SELECT @r";

/// The return code of sp_getapplock.
pub(crate) async fn get(client: &mut Sql, name: &str, mode: &str, owner: &str, wait: i32) -> i32 {
    bound(client, GET, &[&name, &mode, &owner, &wait]).await.expect(name)
}

pub(crate) async fn release(client: &mut Sql, name: &str, owner: &str) -> Result<i32, Error> {
    const RELEASE: &str = "DECLARE @r int; EXEC @r = sp_releaseapplock @Resource = @P1, \
        @LockOwner = @P2; SELECT @r";
    bound(client, RELEASE, &[&name, &owner]).await
}

/// How many application locks have this status.
pub(crate) async fn locks(client: &mut Sql, status: &str) -> i32 {
    const COUNT: &str = "SELECT COUNT(*) FROM sys.dm_tran_locks \
        WHERE resource_type = 'APPLICATION' AND request_status = @P1";
    bound(client, COUNT, &[&status]).await.expect("a count")
}

/// Waits until so many application locks have this status.
pub(crate) async fn until(client: &mut Sql, status: &str, count: i32) {
    tokio::time::timeout(Duration::from_secs(5), async {
        while locks(client, status).await != count {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    })
    .await
    .expect("the count is reached");
}
