//! How do I hold a lock until my transaction ends, through a transaction pooler too?
//!
//! `DLOCK_POSTGRES_URL=postgres://… cargo run --example transaction --features postgres`

use dlock_db::postgres::XactLock;
use dlock_db::postgres::tokio_postgres::{self, NoTls};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let url = std::env::var("DLOCK_POSTGRES_URL")?;
    let (mut client, connection) = tokio_postgres::connect(&url, NoTls).await?;
    tokio::spawn(connection);
    let transaction = client.transaction().await?;
    let mut lock = XactLock::new(&transaction, "account:7")?;
    lock.lock().await?;
    println!("{lock}");
    transaction.batch_execute("SELECT 1 /* move the money */").await?;
    // There is nothing to release: COMMIT frees it, and so would ROLLBACK.
    transaction.commit().await?;
    Ok(())
}
