//! How does an endpoint sell no more than there is, on all machines together?
//!
//! `DLOCK_POSTGRES_URL=postgres://… cargo run --example endpoint --features postgres`
//!
//! Three books, ten buyers, two machines. With `-- unlocked` it shows what happens without the lock.

use axum::{Router, extract::State, http::StatusCode, routing::get};
use deadpool_postgres::{Manager, Pool};
use dlock_db::postgres::tokio_postgres::NoTls;
use dlock_db::postgres::{Locks, LocksError};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

#[derive(Clone)]
struct Shop {
    locks: Locks,
    pool: Pool,
}

/// Whoever buys looks, pays, and takes: a while in which nobody else may.
async fn buy(State(shop): State<Shop>) -> Result<&'static str, StatusCode> {
    let unlocked = std::env::args().any(|it| it == "unlocked");
    let sold = match unlocked {
        true => sell(&shop.pool).await,
        false => {
            let wait = Duration::from_secs(5);
            let sold = shop.locks.with("stock:book", wait, async |_| sell(&shop.pool).await).await;
            sold.map_err(|error| match error {
                LocksError::TimedOut { .. } => StatusCode::TOO_MANY_REQUESTS,
                _ => StatusCode::SERVICE_UNAVAILABLE, // lost too: nobody knows, so look first
            })?
        }
    };
    match sold.map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)? {
        true => Ok("sold"),
        false => Err(StatusCode::GONE),
    }
}

/// The connection comes after the lock: who waits for a key has none of the pool's.
async fn sell(pool: &Pool) -> anyhow::Result<bool> {
    let client = pool.get().await?;
    let left: i32 = client.query_one("SELECT copies FROM example_book", &[]).await?.get(0);
    if left > 0 {
        tokio::time::sleep(Duration::from_millis(20)).await; // the payment
        client.execute("UPDATE example_book SET copies = copies - 1", &[]).await?;
    }
    Ok(left > 0)
}

async fn machine(url: &str, pool: &Pool) -> anyhow::Result<SocketAddr> {
    let shop = Shop { locks: Locks::connect(url).await?, pool: pool.clone() };
    let app = Router::new().route("/buy", get(buy)).with_state(shop);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move { axum::serve(listener, app).await });
    Ok(address)
}

async fn ask(address: SocketAddr) -> anyhow::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(b"GET /buy HTTP/1.0\r\n\r\n").await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer.lines().next().unwrap_or_default().to_owned())
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let url = std::env::var("DLOCK_POSTGRES_URL")?;
    let pool = Pool::builder(Manager::new(url.parse()?, NoTls)).max_size(8).build()?;
    let table = "DROP TABLE IF EXISTS example_book; CREATE TABLE example_book (copies int);
        INSERT INTO example_book VALUES (3)";
    pool.get().await?.batch_execute(table).await?;
    let machines = [machine(&url, &pool).await?, machine(&url, &pool).await?];
    let mut buyers = JoinSet::new();
    (0..10).for_each(|buyer| drop(buyers.spawn(ask(machines[buyer % 2]))));
    let answers = buyers.join_all().await.into_iter().collect::<anyhow::Result<Vec<_>>>()?;
    let sold = answers.iter().filter(|line| line.contains("200 OK")).count();
    println!("sold {sold} of 3 books");
    Ok(())
}
