use crate::server::{Fixture, pid, rows, show};
use anyhow::{Result, ensure};
use dlock_core::{Error, Wait};
use dlock_postgres::Lock;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// An administrator cancels whatever the session runs, all the time. After each error the server must
/// show what the lock says.
pub(crate) async fn run(fixture: &Fixture, count: u32) -> Result<()> {
    let (client, observer, admin) =
        (fixture.connect().await?, fixture.connect().await?, fixture.connect().await?);
    let (victim, stop) = (pid(&client).await?, Arc::new(AtomicBool::new(false)));
    let canceller = tokio::spawn({
        let stop = Arc::clone(&stop);
        async move {
            while !stop.load(Ordering::Relaxed) {
                show(&admin, &format!("SELECT pg_cancel_backend({victim})")).await?;
            }
            anyhow::Ok(())
        }
    });
    let mut holder = Lock::new(fixture.connect().await?, "cancels")?;
    let seen =
        format!("SELECT count(*) FROM pg_locks WHERE pid = {victim} AND {}", rows("cancels"));
    let (mut errors, mut calls, mut lies) = (0_u32, 0_u32, 0_u32);
    while errors < count {
        let mut lock = Lock::new(&client, "cancels")?;
        let is_held_elsewhere = calls % 3 == 0 && holder.acquire(Wait::No).await?;
        let wait = if calls % 2 == 0 { Wait::For(Duration::from_millis(3)) } else { Wait::No };
        let mut answers = vec![lock.acquire(wait).await.map(drop)];
        lies += u32::from((show(&observer, &seen).await? != "0") != lock.is_locked());
        while lock.is_locked() {
            answers.push(lock.release().await);
            lies += u32::from((show(&observer, &seen).await? != "0") != lock.is_locked());
        }
        calls += 1;
        errors += u32::try_from(answers.iter().filter(|answer| answer.is_err()).count())?;
        lies += u32::from(answers.iter().any(|answer| matches!(answer, Err(Error::Lost(_)))));
        if is_held_elsewhere {
            holder.release().await?;
        }
    }
    stop.store(true, Ordering::Relaxed);
    canceller.await??;
    println!("calls: {calls}, cancelled: {errors}, lies: {lies}");
    ensure!(lies == 0, "an answer lied");
    Ok(())
}
