use crate::server::{Fixture, show};
use anyhow::Result;
use dlock_core::{Error, Wait};
use dlock_postgres::Lock;
use tokio::task::JoinSet;

/// Who waits beside the holder's command.
const WAITERS: usize = 3;

/// The holder creates an index concurrently while others wait for its key.
pub(crate) async fn run(fixture: &Fixture, rounds: u32) -> Result<()> {
    let client = fixture.connect().await?;
    client.batch_execute("CREATE TABLE t AS SELECT generate_series(1, 1000) AS n").await?;
    let (mut built, mut invalid, mut told) = (0_u32, 0_u32, 0_u32);
    for _ in 0..rounds {
        let mut holder = Lock::new(&client, "concurrently")?;
        holder.acquire(Wait::Forever).await?;
        let mut waiters = JoinSet::new();
        for _ in 0..WAITERS {
            let waiter = fixture.connect().await?;
            waiters.spawn(async move {
                let mut lock = Lock::new(waiter, "concurrently")?;
                lock.acquire(Wait::Forever).await?;
                lock.release().await
            });
        }
        client.batch_execute("SELECT pg_sleep(0.3)").await?;
        built +=
            u32::from(client.batch_execute("CREATE INDEX CONCURRENTLY i ON t (n)").await.is_ok());
        let valid = "SELECT count(*) FROM pg_index WHERE indexrelid = 'i'::regclass AND indisvalid";
        invalid += u32::from(show(&client, valid).await? != "1");
        client.batch_execute("DROP INDEX i").await?;
        holder.release().await?;
        while let Some(waiter) = waiters.join_next().await {
            told += u32::from(matches!(waiter?, Err(Error::Deadlock(_))));
        }
    }
    println!(
        "rounds: {rounds}, built: {built}, invalid: {invalid}, waiters told of a deadlock: {told}"
    );
    Ok(())
}
