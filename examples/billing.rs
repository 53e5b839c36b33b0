//! How do I keep two workers from billing the same invoice?
//!
//! `DLOCK_POSTGRES_URL=postgres://… cargo run --example billing --features postgres`

use dlock_db::postgres::Lock;
use dlock_db::postgres::tokio_postgres::{self, NoTls};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let url = std::env::var("DLOCK_POSTGRES_URL")?;
    let worker = async |name| -> anyhow::Result<()> {
        let (client, connection) = tokio_postgres::connect(&url, NoTls).await?;
        tokio::spawn(connection);
        let mut lock = Lock::new(&client, "invoice:42")?;
        match lock.try_lock().await? {
            Some(mut guard) => {
                guard.session().batch_execute("SELECT pg_sleep(0.2) /* bill it */").await?;
                guard.release().await?;
                println!("{name}: billed invoice 42");
            }
            None => println!("{name}: somebody else is at it"),
        }
        Ok(())
    };
    let (one, other) = tokio::join!(worker("one"), worker("other"));
    one.and(other)
}
