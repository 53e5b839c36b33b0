use crate::server::{Fixture, pid, show};
use anyhow::{Result, ensure};
use dlock_core::Wait;
use dlock_postgres::Lock;
use std::time::{Duration, Instant};

/// One wait for ever, looked at from outside.
pub(crate) async fn run(fixture: &Fixture, seconds: u64) -> Result<()> {
    let mut holder = Lock::new(fixture.connect().await?, "long")?;
    holder.acquire(Wait::No).await?;
    let (client, observer) = (fixture.connect().await?, fixture.connect().await?);
    let pid = pid(&client).await?;
    let waiter =
        tokio::spawn(async move { Lock::new(client, "long")?.acquire(Wait::Forever).await });
    let look = format!(
        "SELECT coalesce(extract(epoch FROM now() - xact_start), 0) || ' ' || query_start \
         FROM pg_stat_activity WHERE pid = {pid}"
    );
    let (mut oldest, mut messages, mut before) = (0.0_f64, 0_u32, String::new());
    let end = Instant::now() + Duration::from_secs(seconds);
    while Instant::now() < end {
        let seen = show(&observer, &look).await?;
        let (age, begun) = seen.split_once(' ').unwrap_or(("0", ""));
        oldest = oldest.max(age.parse()?);
        messages += u32::from(begun != before);
        begun.clone_into(&mut before);
        dlock_core::sleep(Duration::from_millis(5)).await;
    }
    holder.release().await?;
    ensure!(waiter.await??, "it was not granted");
    let lines =
        fixture.server.log()?.lines().filter(|line| line.contains(&pid.to_string())).count();
    println!(
        "{seconds} s: {messages} messages, oldest transaction {oldest:.2} s, log lines {lines}"
    );
    Ok(())
}
