//! How is a job that is scheduled on every machine done once?
//!
//! `DLOCK_POSTGRES_URL=postgres://… cargo run --example scheduled_job --features postgres`
//!
//! A lock says *one at a time*, and not *once*: when the job is quick, the machine that waited does it
//! again. A row says that it is done; the lock keeps two from finding it missing. With `-- lock_only` and
//! `-- row_only` it shows what each is without the other.

use dlock_db::postgres::tokio_postgres::{self, Client, NoTls};
use dlock_db::postgres::{Locks, LocksError};
use std::time::Duration;

async fn connect(url: &str) -> anyhow::Result<Client> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

/// Writes the report of a day, if there is none.
async fn report(name: &str, client: &Client, day: &str) -> anyhow::Result<()> {
    let done = "SELECT count(*) > 0 FROM example_report WHERE day = $1";
    let is_done: bool = client.query_one(done, &[&day]).await?.get(0);
    if is_done && !has("lock_only") {
        println!("{name}: it is written");
        return Ok(());
    }
    println!("{name}: writing the report");
    tokio::time::sleep(Duration::from_millis(50)).await;
    client.execute("INSERT INTO example_report VALUES ($1)", &[&day]).await?;
    Ok(())
}

fn has(variant: &str) -> bool {
    std::env::args().any(|it| it == variant)
}

async fn machine(name: &str, url: &str) -> anyhow::Result<()> {
    let (locks, client) = (Locks::connect(url).await?, connect(url).await?);
    let day = "2027-01-31";
    if has("row_only") {
        return report(name, &client, day).await;
    }
    // Long enough for one that fails midway to be found out: then another does it.
    let wait = Duration::from_secs(10);
    let key = format!("report:{day}");
    match locks.with(key, wait, async |_| report(name, &client, day).await).await {
        Ok(written) => written,
        Err(LocksError::TimedOut { key, .. }) => {
            println!("{name}: {key} is still being written");
            Ok(())
        }
        Err(error) => Err(error.into()),
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let url = std::env::var("DLOCK_POSTGRES_URL")?;
    let table = "DROP TABLE IF EXISTS example_report; CREATE TABLE example_report (day text)";
    connect(&url).await?.batch_execute(table).await?;
    let (a, b, c) = tokio::join!(machine("a", &url), machine("b", &url), machine("c", &url));
    a.and(b).and(c)
}
