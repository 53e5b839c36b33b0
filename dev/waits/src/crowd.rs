use crate::server::Fixture;
use anyhow::Result;
use dlock_core::Wait;
use dlock_postgres::Lock;
use std::fs;
use std::time::Duration;
use tokio::task::JoinSet;

/// Many waiters on one key that nobody releases.
pub(crate) async fn run(fixture: &Fixture, waiters: usize, seconds: u64) -> Result<()> {
    let mut holder = Lock::new(fixture.connect().await?, "crowd")?;
    holder.acquire(Wait::No).await?;
    let mut tasks = JoinSet::new();
    for _ in 0..waiters {
        let client = fixture.connect().await?;
        tasks.spawn(async move { Lock::new(client, "crowd")?.acquire(Wait::Forever).await });
    }
    dlock_core::sleep(Duration::from_secs(5)).await;
    let before = busy()?;
    dlock_core::sleep(Duration::from_secs(seconds)).await;
    let cores = (busy()? - before) / f64::from(u32::try_from(seconds)?);
    println!("{waiters} waiters: the server is busy on {cores:.3} cores");
    tasks.abort_all();
    Ok(())
}

/// The processor time of all processes named `postgres`, in seconds. The kernel counts in hundredths.
fn busy() -> Result<f64> {
    let mut ticks = 0_u32;
    for process in fs::read_dir("/proc")? {
        let Ok(stat) = fs::read_to_string(process?.path().join("stat")) else { continue };
        let Some((name, rest)) = stat.split_once(") ") else { continue };
        if name.ends_with("(postgres") {
            let fields = rest.split_whitespace().skip(11).take(2);
            ticks += fields.filter_map(|field| field.parse::<u32>().ok()).sum::<u32>();
        }
    }
    Ok(f64::from(ticks) / 100.0)
}
