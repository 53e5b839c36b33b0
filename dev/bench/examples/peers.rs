//! What does each library leave behind on PostgreSQL? Asked of the server, for docs/COMPARE.md.
//!
//! `cargo run --release --manifest-path dev/bench/Cargo.toml --target-dir target/bench --example peers`

use std::time::Duration;

use anyhow::{Context, Result};
use distributed_lock_core::traits::{DistributedLock, LockHandle, LockProvider};
use distributed_lock_postgres::PostgresLockProvider;
use dlock_postgres::Locks;
use dlock_testkit::server::{Engine, PostgreSql};
use sqlx::Connection;
use sqlx::postgres::{PgAdvisoryLock, PgAdvisoryLockKey, PgConnection};
use tokio::time::{sleep, timeout};
use tokio_postgres::{Client, NoTls};

const KEY: i64 = 42;
/// What names that key to distributed-lock.
const NAME: &str = "000000000000002a";
const SHORT: Duration = Duration::from_millis(300);
/// Long enough for whatever goes on in the background.
const LATER: Duration = Duration::from_secs(3);

/// Who looks.
struct Server {
    url: String,
    client: Client,
}

impl Server {
    async fn connect(url: &str) -> Result<Self> {
        let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
        tokio::spawn(connection);
        Ok(Self { url: url.to_owned(), client })
    }

    /// How many hold the key, and how many wait for it.
    async fn shown(&self) -> Result<(i64, i64)> {
        let query = "SELECT count(*) FILTER (WHERE granted), count(*) FILTER (WHERE NOT granted) \
                     FROM pg_locks WHERE locktype = 'advisory' AND objid = 42";
        let row = self.client.query_one(query, &[]).await?;
        Ok((row.get(0), row.get(1)))
    }

    async fn later(&self, what: &str) -> Result<()> {
        sleep(LATER).await;
        let (holding, waiting) = self.shown().await?;
        println!("{what}: after {} s {holding} hold it, {waiting} wait", LATER.as_secs());
        Ok(())
    }

    /// Ends whoever holds or waits, and takes the key.
    async fn take(&self) -> Result<()> {
        let query = "SELECT pg_terminate_backend(pid) FROM pg_locks \
                     WHERE locktype = 'advisory' AND objid = 42 AND pid <> pg_backend_pid()";
        self.client.execute(query, &[]).await?;
        self.client.execute("SELECT pg_advisory_lock($1)", &[&KEY]).await?;
        Ok(())
    }

    async fn free(&self) -> Result<()> {
        self.client.execute("SELECT pg_advisory_unlock_all()", &[]).await?;
        Ok(())
    }

    async fn kill(&self) -> Result<()> {
        let query = "SELECT pg_terminate_backend(pid) FROM pg_locks \
                     WHERE locktype = 'advisory' AND objid = 42";
        self.client.execute(query, &[]).await?;
        Ok(())
    }
}

async fn sqlx(server: &Server) -> Result<()> {
    let lock = PgAdvisoryLock::with_key(PgAdvisoryLockKey::BigInt(KEY));
    let mut conn = PgConnection::connect(&server.url).await?;
    server.take().await?;
    let waited = timeout(SHORT, lock.acquire(&mut conn)).await.is_ok();
    println!("sqlx: a wait is dropped (granted: {waited})");
    server.later("sqlx: a dropped wait").await?;
    server.free().await?;
    drop(conn);
    sleep(LATER).await;
    let mut conn = PgConnection::connect(&server.url).await?;
    drop(lock.acquire(&mut conn).await?);
    server.later("sqlx: a dropped guard").await?;
    let mut guard = lock.acquire(&mut conn).await?;
    let again = timeout(SHORT, lock.acquire(guard.as_mut())).await.is_ok();
    println!("sqlx: the same key on the same connection is granted again: {again}");
    Ok(())
}

async fn provider(server: &Server) -> Result<PostgresLockProvider> {
    let options = sqlx_0_8::postgres::PgPoolOptions::new().max_connections(4);
    let pool = options.connect(&server.url).await?;
    Ok(PostgresLockProvider::builder().pool(pool).build().await?)
}

async fn distributed(server: &Server) -> Result<()> {
    let lock = provider(server).await?.create_lock(NAME);
    server.take().await?;
    let waited = timeout(SHORT, lock.acquire(None)).await.is_ok();
    println!("distributed-lock: a wait is dropped (granted: {waited})");
    server.later("distributed-lock: a dropped wait").await?;
    let short = Duration::from_micros(400);
    let returned = timeout(LATER, lock.acquire(Some(short))).await.is_ok();
    println!(
        "distributed-lock: a timeout of 0.4 ms returns within {} s: {returned}",
        LATER.as_secs()
    );
    server.free().await?;
    server.later("distributed-lock: once the holder let go, the dropped waits").await?;
    server.kill().await?;
    let lock = provider(server).await?.create_lock(NAME);
    drop(lock.acquire(None).await?);
    server.later("distributed-lock: a dropped handle").await?;
    server.kill().await?;
    let handle = provider(server).await?.create_lock(NAME).acquire(None).await?;
    server.kill().await?;
    let mut lost = handle.lost_token().clone();
    let told = timeout(LATER, lost.changed()).await.is_ok_and(|changed| changed.is_ok());
    println!("distributed-lock: a killed session is told within {} s: {told}", LATER.as_secs());
    println!("distributed-lock: its release is {:?}", handle.release().await);
    Ok(())
}

async fn dlock(server: &Server) -> Result<()> {
    let locks = Locks::connect(&server.url).await?;
    server.take().await?;
    let waited = timeout(SHORT, locks.lock(KEY)).await.is_ok();
    println!("dlock: a wait is dropped (granted: {waited})");
    server.later("dlock: a dropped wait").await?;
    let short = Duration::from_micros(400);
    let returned = timeout(LATER, locks.lock_within(KEY, short)).await.is_ok();
    println!("dlock: a timeout of 0.4 ms returns within {} s: {returned}", LATER.as_secs());
    server.free().await?;
    drop(locks.lock(KEY).await?);
    server.later("dlock: a dropped guard").await?;
    let held = locks.lock(KEY).await?;
    server.kill().await?;
    let told = timeout(LATER, held.lost()).await;
    println!("dlock: a killed session is told within {} s: {}", LATER.as_secs(), told.is_ok());
    println!("dlock: its release is {:?}", held.release().await.map_err(|error| error.to_string()));
    Ok(())
}

#[tokio::main]
async fn main() -> Result<()> {
    let private = PostgreSql::start(&[]).context("a PostgreSQL server")?;
    let server = Server::connect(private.url()).await?;
    sqlx(&server).await?;
    distributed(&server).await?;
    dlock(&server).await
}
