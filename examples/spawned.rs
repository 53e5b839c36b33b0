//! How do I move a held lock into a task?
//!
//! `DLOCK_POSTGRES_URL=postgres://… cargo run --example spawned --features postgres`

use dlock_db::postgres::Lock;
use dlock_db::postgres::tokio_postgres::{self, NoTls};
use std::sync::Arc;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let url = std::env::var("DLOCK_POSTGRES_URL")?;
    let (client, connection) = tokio_postgres::connect(&url, NoTls).await?;
    tokio::spawn(connection);
    let client = Arc::new(client);
    let guard = Lock::new(Arc::clone(&client), "export")?.lock_owned().await?;
    let task = tokio::spawn(async move {
        println!("exporting under the lock on key {}", guard.key());
        guard.release().await
    });
    let lock = task.await??;
    println!("{lock} again");
    Ok(())
}
