//! How does a worker stop on SIGTERM, and leave nothing half done and nobody waiting?
//!
//! `DLOCK_POSTGRES_URL=postgres://… cargo run --example shutdown --features postgres`
//!
//! It takes no new work, finishes what it is at, and lets the key go for the next machine. With
//! `-- unhandled` it shows what is left where nobody handles the signal.

use dlock_db::postgres::Locks;
use dlock_db::postgres::tokio_postgres::{self, NoTls};
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Cancelled at the first SIGTERM.
fn stop() -> anyhow::Result<CancellationToken> {
    let stop = CancellationToken::new();
    if !std::env::args().any(|it| it == "unhandled") {
        let (mut sigterm, token) = (signal(SignalKind::terminate())?, stop.clone());
        tokio::spawn(async move {
            sigterm.recv().await;
            token.cancel();
        });
    }
    Ok(stop)
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let url = std::env::var("DLOCK_POSTGRES_URL")?;
    let stop = stop()?;
    let (client, connection) = tokio_postgres::connect(&url, NoTls).await?;
    tokio::spawn(connection);
    let table = "CREATE TABLE IF NOT EXISTS example_order (begun int, done int)";
    client.batch_execute(table).await?;

    let locks = Locks::connect(&url).await?;
    // Who waits for a key stops waiting: the dropped call leaves nothing behind.
    let held = tokio::select! {
        held = locks.lock("example:orders") => held?,
        () = stop.cancelled() => return Ok(()),
    };
    println!("working");
    for order in 1.. {
        let deliver = async {
            client.execute("INSERT INTO example_order VALUES ($1)", &[&order]).await?;
            tokio::time::sleep(Duration::from_millis(300)).await; // the delivery
            let done = "UPDATE example_order SET done = begun WHERE begun = $1";
            client.execute(done, &[&order]).await
        };
        held.run_until_lost(deliver).await??; // not dropped by the signal
        if stop.is_cancelled() {
            break;
        }
    }
    held.release().await?; // the next machine has it now, and not after a lease
    locks.close().await;
    println!("stopped");
    Ok(())
}
