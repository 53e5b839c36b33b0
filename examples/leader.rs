//! How do I have one scheduler on three machines, and the others know who it is?
//!
//! `DLOCK_POSTGRES_URL=postgres://… cargo run --example leader --features postgres`
//!
//! Each tick is to be there once. With `-- unlocked` it shows what happens when all of them lead.

use dlock_db::postgres::Locks;
use dlock_db::postgres::tokio_postgres::{self, Client, Config, NoTls};
use std::ops::ControlFlow;
use std::time::Duration;

const TICKS: i64 = 12;

async fn connect(url: &str) -> anyhow::Result<Client> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

/// The next tick. `Break`: all are done.
async fn tick(client: &Client) -> anyhow::Result<ControlFlow<()>> {
    let last = "SELECT coalesce(max(n), 0) FROM example_tick";
    let last: i64 = client.query_one(last, &[]).await?.get(0);
    if last == TICKS {
        return Ok(ControlFlow::Break(()));
    }
    tokio::time::sleep(Duration::from_millis(5)).await; // what a scheduler does
    client.execute("INSERT INTO example_tick VALUES ($1)", &[&(last + 1)]).await?;
    Ok(ControlFlow::Continue(()))
}

/// Leads for four ticks, and lets another.
async fn machine(name: &str, url: &str) -> anyhow::Result<()> {
    let config: Config = url.parse()?;
    let locks = Locks::builder(config).name(name).connect().await?;
    let client = connect(url).await?;
    if std::env::args().any(|it| it == "unlocked") {
        while tick(&client).await?.is_continue() {}
        return Ok(());
    }
    let lead = locks.lead("example:scheduler", async |term| {
        let stop = term.cancelled();
        for _ in 0..4 {
            match tick(&client).await {
                _ if stop.is_cancelled() => break, // somebody else is about to lead
                Ok(ControlFlow::Continue(())) => {}
                over => return ControlFlow::Break(over.map(drop)),
            }
        }
        println!("{name} led");
        ControlFlow::Continue(())
    });
    lead.await?
}

async fn follow(url: &str) -> anyhow::Result<()> {
    let mut leader = Locks::connect(url).await?.leader("example:scheduler").await?;
    loop {
        let name = leader.borrow_and_update().as_ref().and_then(|it| it.application.clone());
        println!("{} leads", name.as_deref().unwrap_or("nobody"));
        leader.changed().await?;
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let url = std::env::var("DLOCK_POSTGRES_URL")?;
    let client = connect(&url).await?;
    let table = "DROP TABLE IF EXISTS example_tick; CREATE TABLE example_tick (n bigint)";
    client.batch_execute(table).await?;
    let following = tokio::spawn({
        let url = url.clone();
        async move { follow(&url).await }
    });
    let (a, b, c) = tokio::join!(machine("a", &url), machine("b", &url), machine("c", &url));
    a.and(b).and(c)?;
    following.abort();
    let row = client.query_one("SELECT count(DISTINCT n), count(*) FROM example_tick", &[]).await?;
    println!("{} ticks, written {} times", row.get::<_, i64>(0), row.get::<_, i64>(1));
    Ok(())
}
