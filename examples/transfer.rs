//! How do I take two accounts at once, and never a deadlock?
//!
//! `DLOCK_POSTGRES_URL=postgres://… cargo run --example transfer --features postgres`
//!
//! Money goes both ways at the same time. With `-- unlocked` it shows what is lost without the locks.

use dlock_db::postgres::Locks;
use dlock_db::postgres::tokio_postgres::{self, Client, NoTls};
use std::time::Duration;

async fn connect(url: &str) -> anyhow::Result<Client> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

/// What each had is read, a limit is looked up elsewhere, and what each has is written.
async fn transfer(client: &Client, from: i32, to: i32, amount: i32) -> anyhow::Result<()> {
    let read = "SELECT balance FROM example_account WHERE id = $1";
    let source: i32 = client.query_one(read, &[&from]).await?.get(0);
    let target: i32 = client.query_one(read, &[&to]).await?.get(0);
    tokio::time::sleep(Duration::from_millis(2)).await;
    let write = "UPDATE example_account SET balance = CASE id WHEN $1 THEN $3::int ELSE $4::int END
        WHERE id IN ($1, $2)";
    client.execute(write, &[&from, &to, &(source - amount), &(target + amount)]).await?;
    Ok(())
}

async fn teller(url: &str, from: i32, to: i32) -> anyhow::Result<()> {
    let (locks, client) = (Locks::connect(url).await?, connect(url).await?);
    for _ in 0..20 {
        if std::env::args().any(|it| it == "unlocked") {
            transfer(&client, from, to, 1).await?;
            continue;
        }
        // All or none, in one order in every process: 7 and 9 here, 9 and 7 there, and nobody hangs.
        let accounts = [format!("account:{from}"), format!("account:{to}")];
        let both = locks.lock_all(accounts, Duration::from_secs(10)).await?;
        both.run_until_lost(transfer(&client, from, to, 1)).await??;
        both.release().await?;
    }
    Ok(())
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let url = std::env::var("DLOCK_POSTGRES_URL")?;
    let client = connect(&url).await?;
    let table = "DROP TABLE IF EXISTS example_account;
        CREATE TABLE example_account (id int PRIMARY KEY, balance int NOT NULL);
        INSERT INTO example_account VALUES (7, 100), (8, 100), (9, 100)";
    client.batch_execute(table).await?;
    let (a, b, c) = tokio::join!(teller(&url, 7, 9), teller(&url, 9, 7), teller(&url, 9, 8));
    a.and(b).and(c)?;
    let rows = client.query("SELECT balance FROM example_account ORDER BY id", &[]).await?;
    println!("{:?}", Vec::from_iter(rows.iter().map(|row| row.get::<_, i32>(0))));
    Ok(())
}
