//! A semaphore, and two keys at once.

use crate::{in_time, locks};
use dlock_db::postgres::{Locks, LocksError};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::time::Duration;
use tokio::task::{JoinSet, yield_now};

async fn transfer(
    locks: Locks,
    accounts: [&'static str; 2],
    busy: Arc<AtomicU32>,
) -> Result<(), LocksError> {
    // lock
    let permit = locks.semaphore("program:transfers", 2)?.acquire(Duration::from_secs(20)).await?;
    let both = locks.lock_all(accounts, Duration::from_secs(20)).await?;
    // end
    assert!(busy.fetch_add(1, SeqCst) < 2, "more than two");
    yield_now().await;
    busy.fetch_sub(1, SeqCst);
    // lock
    both.release().await?;
    permit.release().await
    // end
}

#[tokio::test]
async fn both_ways_at_once() {
    let (busy, mut transfers) = (Arc::default(), JoinSet::new());
    let machines = [locks().await, locks().await];
    for number in 0..40 {
        let accounts = match number % 2 {
            0 => ["program:account:7", "program:account:9"],
            _ => ["program:account:9", "program:account:7"],
        };
        transfers.spawn(transfer(machines[number / 20].clone(), accounts, Arc::clone(&busy)));
    }
    for done in in_time(transfers.join_all()).await {
        done.expect("a transfer");
    }
}
