//! How does an expensive endpoint run once at a time, on all machines together?
//!
//! A second request answers 409 while the export runs. Here the example asks itself, twice at once.
//!
//! `DLOCK_POSTGRES_URL=postgres://… cargo run --example busy_endpoint --features postgres`

use axum::{Router, extract::State, http::StatusCode, routing::get};
use deadpool_postgres::{Manager, Pool};
use dlock_db::postgres::Lock;
use dlock_db::postgres::tokio_postgres::NoTls;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

async fn export(State(pool): State<Pool>) -> Result<&'static str, StatusCode> {
    let unavailable = |_| StatusCode::SERVICE_UNAVAILABLE;
    let client = pool.get().await.map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?;
    let mut lock = Lock::new(&**client, "export").map_err(unavailable)?;
    let guard = lock.try_lock().await.map_err(unavailable)?.ok_or(StatusCode::CONFLICT)?;
    tokio::time::sleep(std::time::Duration::from_millis(300)).await; // the export
    guard.release().await.map_err(unavailable)?; // before the client goes back to the pool
    Ok("exported")
}

async fn ask(listener: std::net::SocketAddr) -> anyhow::Result<String> {
    let mut stream = TcpStream::connect(listener).await?;
    stream.write_all(b"GET /export HTTP/1.0\r\n\r\n").await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer.lines().next().unwrap_or_default().to_owned())
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let config = std::env::var("DLOCK_POSTGRES_URL")?.parse()?;
    let pool = Pool::builder(Manager::new(config, NoTls)).max_size(4).build()?;
    let app = Router::new().route("/export", get(export)).with_state(pool);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move { axum::serve(listener, app).await });
    let (one, other) = tokio::join!(ask(address), ask(address));
    println!("{}\n{}", one?, other?);
    Ok(())
}
