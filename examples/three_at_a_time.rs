//! How do no more than three exports run at a time, on all machines together?
//!
//! `DLOCK_POSTGRES_URL=postgres://… cargo run --example three_at_a_time --features postgres`
//!
//! The service that is called bears three at a time. With `-- unlocked` it shows how many there would be.

use dlock_db::postgres::Locks;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;
use tokio::task::JoinSet;

/// A service, and how many it served at a time.
#[derive(Default)]
struct Service {
    now: AtomicUsize,
    most: AtomicUsize,
}

impl Service {
    async fn export(&self) {
        let now = self.now.fetch_add(1, SeqCst) + 1;
        self.most.fetch_max(now, SeqCst);
        tokio::time::sleep(Duration::from_millis(20)).await;
        self.now.fetch_sub(1, SeqCst);
    }
}

async fn job(locks: Locks, service: Arc<Service>) -> anyhow::Result<()> {
    if std::env::args().any(|it| it == "unlocked") {
        service.export().await;
        return Ok(());
    }
    let exports = locks.semaphore("example:exports", 3)?; // the same number everywhere
    let permit = exports.acquire(Duration::from_secs(30)).await?;
    permit.run_until_lost(service.export()).await?;
    permit.release().await?;
    Ok(())
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let url = std::env::var("DLOCK_POSTGRES_URL")?;
    let machines = [Locks::connect(&url).await?, Locks::connect(&url).await?];
    let (service, mut jobs) = (Arc::new(Service::default()), JoinSet::new());
    for number in 0..12 {
        jobs.spawn(job(machines[number % 2].clone(), Arc::clone(&service)));
    }
    jobs.join_all().await.into_iter().collect::<anyhow::Result<()>>()?;
    println!("at most {} at a time", service.most.load(SeqCst));
    Ok(())
}
