//! How does a job that is scheduled on every machine run on one of them?
//!
//! `DLOCK_POSTGRES_URL=postgres://… cargo run --example scheduled_job --features postgres`

use dlock_db::postgres::tokio_postgres::{self, NoTls};
use dlock_db::postgres::{Error, Lock};
use std::time::Duration;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let url = std::env::var("DLOCK_POSTGRES_URL")?;
    let machine = async |name: &str| -> anyhow::Result<()> {
        let (client, connection) = tokio_postgres::connect(&url, NoTls).await?;
        tokio::spawn(connection);
        let mut lock = Lock::new(client, "nightly-report")?;
        // Whoever is first does it. The others look for a moment, in case that one is about to fail.
        match lock.lock_within(Duration::from_millis(300)).await {
            Ok(guard) => {
                println!("{name}: writing the report");
                tokio::time::sleep(Duration::from_millis(600)).await;
                guard.release().await?;
            }
            Err(Error::TimedOut) => println!("{name}: the report is written elsewhere"),
            Err(error) => return Err(error.into()),
        }
        Ok(())
    };
    let (a, b, c) = tokio::join!(machine("a"), machine("b"), machine("c"));
    a.and(b).and(c)
}
