//! How do I put a lock around a function?
//!
//! `DLOCK_POSTGRES_URL=postgres://… cargo run --example scope --features postgres`

use dlock_db::Wait;
use dlock_db::postgres::Lock;
use dlock_db::postgres::tokio_postgres::{self, Client, NoTls};

async fn count_users(client: &Client) -> Result<i64, tokio_postgres::Error> {
    let row = client.query_one("SELECT count(*) FROM pg_user", &[]).await?;
    Ok(row.get(0))
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let url = std::env::var("DLOCK_POSTGRES_URL")?;
    let (client, connection) = tokio_postgres::connect(&url, NoTls).await?;
    tokio::spawn(connection);
    let mut lock = Lock::new(&client, "users")?;
    // Released whatever the function returns, and when it panics.
    let users = lock.with(Wait::Forever, async |client| count_users(client).await).await??;
    println!("{users} users, counted by nobody else meanwhile");
    Ok(())
}
