use crate::server::Fixture;
use anyhow::Result;
use dlock_core::{Error, Wait};
use dlock_postgres::Lock;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Barrier;
use tokio::task::JoinSet;

/// Cycles of two, three and four sessions, each of which holds a key and wants its neighbour's.
pub(crate) async fn run(fixture: &Fixture, rounds: u32) -> Result<()> {
    for sessions in 2..=4 {
        let (mut victims, mut latest) = (0_u32, Duration::ZERO);
        for _ in 0..rounds {
            let (told, late) = cycle(fixture, sessions).await?;
            (victims, latest) = (victims + told, latest.max(late));
        }
        println!(
            "{sessions} sessions: {rounds} cycles, {victims} victims, told after {latest:.2?} at most"
        );
    }
    Ok(())
}

async fn cycle(fixture: &Fixture, sessions: usize) -> Result<(u32, Duration)> {
    let (mut tasks, all_hold) = (JoinSet::new(), Arc::new(Barrier::new(sessions)));
    for place in 0..sessions {
        let (client, all_hold) = (Arc::new(fixture.connect().await?), Arc::clone(&all_hold));
        tasks.spawn(async move {
            let mut own = Lock::new(Arc::clone(&client), format!("cycle-{place}"))?;
            own.acquire(Wait::Forever).await?;
            all_hold.wait().await;
            let start = Instant::now();
            let next = format!("cycle-{}", (place + 1) % sessions);
            let mut next = Lock::new(client, next)?;
            let told = match next.acquire(Wait::Forever).await {
                Err(Error::Deadlock(_)) => Some(start.elapsed()),
                answer => {
                    answer?;
                    next.release().await?;
                    None
                }
            };
            own.release().await?;
            anyhow::Ok(told)
        });
    }
    let (mut victims, mut late) = (0, Duration::ZERO);
    while let Some(task) = tasks.join_next().await {
        if let Some(told) = task?? {
            (victims, late) = (victims + 1, late.max(told));
        }
    }
    Ok((victims, late))
}
