//! How do several workers go through a queue of invoices, and charge each once?
//!
//! `DLOCK_POSTGRES_URL=postgres://… cargo run --example invoices --features postgres`
//!
//! Each worker skips what another is at. With `-- unlocked` it shows what happens without the lock.

use dlock_db::postgres::Locks;
use dlock_db::postgres::tokio_postgres::{self, Client, NoTls};
use std::time::Duration;

const OPEN: &str = "SELECT id FROM example_invoice WHERE NOT paid ORDER BY id";
const IS_OPEN: &str = "SELECT NOT paid FROM example_invoice WHERE id = $1";

async fn connect(url: &str) -> anyhow::Result<Client> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

async fn charge(client: &Client, id: i32) -> anyhow::Result<()> {
    client.execute("INSERT INTO example_charge VALUES ($1)", &[&id]).await?;
    tokio::time::sleep(Duration::from_millis(10)).await; // the bank
    client.execute("UPDATE example_invoice SET paid = true WHERE id = $1", &[&id]).await?;
    Ok(())
}

async fn worker(url: &str, unlocked: bool) -> anyhow::Result<()> {
    let (locks, client) = (Locks::connect(url).await?, connect(url).await?);
    for row in client.query(OPEN, &[]).await? {
        let id: i32 = row.get(0);
        if unlocked {
            charge(&client, id).await?;
            continue;
        }
        let Some(held) = locks.try_lock(format!("invoice:{id}")).await? else { continue };
        // The list is old by now: another may have charged it and let it go.
        let is_open: bool = client.query_one(IS_OPEN, &[&id]).await?.get(0);
        if is_open {
            // Dropped at its next await, should the lock be lost first.
            held.run_until_lost(charge(&client, id)).await??;
        }
        held.release().await?;
    }
    Ok(())
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let url = std::env::var("DLOCK_POSTGRES_URL")?;
    let unlocked = std::env::args().any(|it| it == "unlocked");
    let client = connect(&url).await?;
    let tables = "DROP TABLE IF EXISTS example_invoice, example_charge;
        CREATE TABLE example_invoice (id int PRIMARY KEY, paid bool NOT NULL);
        CREATE TABLE example_charge (invoice int);
        INSERT INTO example_invoice SELECT n, false FROM generate_series(1, 20) n";
    client.batch_execute(tables).await?;
    let (a, b, c) =
        tokio::join!(worker(&url, unlocked), worker(&url, unlocked), worker(&url, unlocked));
    a.and(b).and(c)?;
    let paid = "SELECT count(DISTINCT invoice), count(*) FROM example_charge";
    let row = client.query_one(paid, &[]).await?;
    println!("{} invoices, {} charges", row.get::<_, i64>(0), row.get::<_, i64>(1));
    Ok(())
}
