//! Five thousand tasks on a thousand keys.

use crate::{in_time, locks};
use dlock_db::postgres::{Locks, LocksError};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use tokio::task::{JoinSet, yield_now};

const TASKS: usize = 5000;
const KEYS: usize = 1000;

async fn task(locks: Locks, at: usize, busy: Arc<Vec<AtomicU32>>) -> Result<(), LocksError> {
    // lock
    let held = locks.lock(format!("program:many:{at}")).await?;
    // end
    assert_eq!(busy[at].fetch_add(1, SeqCst), 0, "two at {at}");
    yield_now().await;
    busy[at].fetch_sub(1, SeqCst);
    // lock
    held.release().await
    // end
}

#[tokio::test]
async fn nobody_is_in_anybodys_way() {
    let busy = Arc::new(Vec::from_iter((0..KEYS).map(|_| AtomicU32::new(0))));
    let (locks, mut tasks) = (locks().await, JoinSet::new());
    for number in 0..TASKS {
        tasks.spawn(task(locks.clone(), number % KEYS, Arc::clone(&busy)));
    }
    for done in in_time(tasks.join_all()).await {
        done.expect("a lock");
    }
}
