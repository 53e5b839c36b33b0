//! How do I stop waiting when something else happens first?
//!
//! `DLOCK_POSTGRES_URL=postgres://… cargo run --example give_up --features postgres`

use dlock_db::postgres::Lock;
use dlock_db::postgres::tokio_postgres::{self, Client, NoTls};
use std::time::Duration;

async fn connect(url: &str) -> anyhow::Result<Client> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let url = std::env::var("DLOCK_POSTGRES_URL")?;
    let mut holder = Lock::new(connect(&url).await?, "door")?;
    let held = holder.lock().await?;
    let client = connect(&url).await?;
    let mut lock = Lock::new(&client, "door")?;
    tokio::select! {
        guard = lock.lock() => drop(guard?),
        // The wait is dropped here: it is cancelled on the server, and nobody stays in the queue.
        () = tokio::time::sleep(Duration::from_millis(200)) => println!("gave up"),
    }
    lock.close().await?; // optional: waits until that is certain
    let answer = client.query_one("SELECT 77", &[]).await?;
    println!("the connection goes on: {}", answer.get::<_, i32>(0));
    held.release().await?;
    Ok(())
}
