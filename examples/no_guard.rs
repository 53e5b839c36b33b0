//! How do I keep the flag myself, in a scope that does not acquire on entry?
//!
//! `DLOCK_POSTGRES_URL=postgres://… cargo run --example no_guard --features postgres`

use dlock_db::Wait;
use dlock_db::postgres::Lock;
use dlock_db::postgres::tokio_postgres::{self, NoTls};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let url = std::env::var("DLOCK_POSTGRES_URL")?;
    let (client, connection) = tokio_postgres::connect(&url, NoTls).await?;
    tokio::spawn(connection);
    let mut lock = Lock::new(&client, (7, 42))?;
    let expensive = true;
    if expensive && !lock.acquire(Wait::No).await? {
        println!("busy");
    }
    println!("{lock}");
    lock.close().await?; // releases if locked, else does nothing
    println!("{lock}");
    Ok(())
}
