use crate::server::{Fixture, pid, rows, show};
use anyhow::{Result, ensure};
use dlock_core::Wait;
use dlock_postgres::Lock;
use std::time::Duration;
use tokio::task::JoinSet;

/// Pairs of a holder and a waiter that run at once.
const PAIRS: u32 = 4;

/// A wait of 2 ms runs out while the holder releases, a little earlier or later each time. What it is told
/// is compared with what the server shows.
pub(crate) async fn run(fixture: &Fixture, count: u32) -> Result<()> {
    let mut pairs = JoinSet::new();
    for pair in 0..PAIRS {
        let clients =
            (fixture.connect().await?, fixture.connect().await?, fixture.connect().await?);
        pairs.spawn(async move {
            let (holder, waiter, observer) = clients;
            let (key, pid) = (format!("time-outs-{pair}"), pid(&waiter).await?);
            let seen =
                format!("SELECT count(*) FROM pg_locks WHERE pid = {pid} AND {}", rows(&key));
            let mut holder = Lock::new(holder, &key)?;
            let (mut ran_out, mut granted, mut lies) = (0_u32, 0_u32, 0_u32);
            while ran_out < count / PAIRS {
                holder.acquire(Wait::Forever).await?;
                let mut lock = Lock::new(&waiter, &key)?;
                let after = Duration::from_micros(500 + u64::from((ran_out * 7919) % 4000));
                let release = async {
                    dlock_core::sleep(after).await;
                    holder.release().await
                };
                let (answer, released) =
                    tokio::join!(lock.acquire(Duration::from_millis(2)), release);
                released?;
                let (answer, held) = (answer?, show(&observer, &seen).await? != "0");
                lies += u32::from(answer != held);
                *(if answer { &mut granted } else { &mut ran_out }) += 1;
                lock.close().await?;
            }
            anyhow::Ok((ran_out, granted, lies))
        });
    }
    let mut sum = (0, 0, 0);
    while let Some(pair) = pairs.join_next().await {
        let (ran_out, granted, lies) = pair??;
        sum = (sum.0 + ran_out, sum.1 + granted, sum.2 + lies);
    }
    println!("time-outs: {}, grants: {}, lies: {}", sum.0, sum.1, sum.2);
    ensure!(sum.2 == 0, "an answer lied");
    Ok(())
}
