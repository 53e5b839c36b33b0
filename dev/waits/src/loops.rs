use crate::server::Fixture;
use anyhow::Result;
use dlock_core::Wait;
use dlock_postgres::Lock;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// Longer than any run: such a wait is one piece.
const ONE_PIECE: Duration = Duration::from_secs(100_000);

/// Clients that take a key again and again, each as soon as it has let go; the work is done on the server.
pub(crate) async fn run(fixture: &Fixture, clients: usize, hold: u64, seconds: u64) -> Result<()> {
    let sliced = one_loop(fixture, clients, hold, seconds, None).await?;
    let whole = one_loop(fixture, clients, hold, seconds, Some(ONE_PIECE)).await?;
    for (name, figures) in [("in slices", &sliced), ("in one piece", &whole)] {
        println!(
            "{clients} clients × {hold} ms, {name}: turns {} to {}, {:.1} in the mean; longest wait {:.1} s",
            figures.least,
            figures.most,
            figures.mean,
            figures.longest.as_secs_f64()
        );
    }
    let ratio = sliced.longest.as_secs_f64() / whole.longest.as_secs_f64();
    println!("longest wait by that in one piece: {ratio:.2}");
    Ok(())
}

struct Figures {
    least: u32,
    most: u32,
    mean: f64,
    longest: Duration,
}

async fn one_loop(
    fixture: &Fixture,
    clients: usize,
    hold: u64,
    seconds: u64,
    slice: Option<Duration>,
) -> Result<Figures> {
    let (mut tasks, end) = (JoinSet::new(), Instant::now() + Duration::from_secs(seconds));
    for _ in 0..clients {
        let client = fixture.connect().await?;
        tasks.spawn(async move {
            let lock = Lock::new(&client, "loops")?;
            let mut lock = match slice {
                Some(longest) => lock.slice(longest),
                None => lock,
            };
            let (mut turns, mut longest) = (0_u32, Duration::ZERO);
            while Instant::now() < end {
                let start = Instant::now();
                lock.acquire(Wait::Forever).await?;
                longest = longest.max(start.elapsed());
                turns += u32::from(Instant::now() < end);
                client.batch_execute(&format!("SELECT pg_sleep({hold} / 1000.0)")).await?;
                lock.release().await?;
            }
            anyhow::Ok((turns, longest))
        });
    }
    let mut all = Vec::new();
    while let Some(task) = tasks.join_next().await {
        all.push(task??);
    }
    let turns = || all.iter().map(|(turns, _)| *turns);
    Ok(Figures {
        least: turns().min().unwrap_or(0),
        most: turns().max().unwrap_or(0),
        mean: turns().map(f64::from).sum::<f64>() / f64::from(u32::try_from(all.len())?),
        longest: all.iter().map(|(_, longest)| *longest).max().unwrap_or_default(),
    })
}
