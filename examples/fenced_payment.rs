//! How does a holder that lost its lock, and does not know, pay nothing?
//!
//! `DLOCK_POSTGRES_URL=postgres://… cargo run --example fenced_payment --features postgres`
//!
//! The first machine stands still while its lock goes to another. With `-- unfenced` it shows what happens
//! when its transaction does not ask.

use dlock_db::postgres::tokio_postgres::{self, Client, NoTls, Transaction};
use dlock_db::postgres::{Held, Locks, LocksError};

async fn connect(url: &str) -> anyhow::Result<Client> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

/// A transaction that the server refuses to a holder who is not the last.
async fn begin<'c>(held: &Held, client: &'c mut Client) -> anyhow::Result<Transaction<'c>> {
    match std::env::args().any(|it| it == "unfenced") {
        true => Ok(client.transaction().await?),
        false => Ok(held.begin(client).await?),
    }
}

async fn pay(name: &str, held: &Held, is_paid: bool, client: &mut Client) -> anyhow::Result<()> {
    let transaction = begin(held, client).await?;
    if !is_paid {
        transaction.execute("INSERT INTO example_payment VALUES ($1)", &[&name]).await?;
    }
    Ok(transaction.commit().await?)
}

async fn is_paid(client: &Client) -> anyhow::Result<bool> {
    Ok(client.query_one("SELECT count(*) > 0 FROM example_payment", &[]).await?.get(0))
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let url = std::env::var("DLOCK_POSTGRES_URL")?;
    let mut client = connect(&url).await?;
    let table = "DROP TABLE IF EXISTS example_payment; CREATE TABLE example_payment (payer text)";
    client.batch_execute(table).await?;
    let (here, elsewhere) = (Locks::connect(&url).await?, Locks::connect(&url).await?);
    here.setup().await?; // the two tables, once

    let stale = here.key("example:payment")?.fenced().lock().await?;
    let was_paid = is_paid(&client).await?;
    // It stands still now: a debugger, a paused machine. Somebody ends its session, and another goes on.
    elsewhere.free("example:payment").await?;
    let held = elsewhere.key("example:payment")?.fenced().lock().await?;
    let paid = is_paid(&client).await?;
    pay("elsewhere", &held, paid, &mut client).await?;
    held.release().await?;

    // It goes on where it stood.
    let late = pay("here", &stale, was_paid, &mut client).await;
    match late.as_ref().map_err(|error| error.downcast_ref::<LocksError>()) {
        Ok(()) => println!("the stale holder paid"),
        Err(Some(LocksError::Lost(lost))) => println!("refused: {lost}"),
        Err(_) => return late,
    }
    let row = client.query_one("SELECT count(*) FROM example_payment", &[]).await?;
    println!("paid {} times", row.get::<_, i64>(0));
    Ok(())
}
