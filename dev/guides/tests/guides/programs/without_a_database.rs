//! A test without a database: what a service does when its lock is lost, and that two exclude each other.

use crate::in_time;
use dlock_db::memory::{Database, Locks, LocksError};
use tokio::task::yield_now;

/// The service.
async fn work(locks: &Locks, database: &Database) -> Result<u32, LocksError> {
    let held = locks.lock("nightly").await?;
    let rows = held.run_until_lost(async {
        for _ in 0..100 {
            assert_eq!(database.holders("nightly"), 1);
            yield_now().await;
        }
        100
    });
    let rows = rows.await?;
    held.release().await?;
    Ok(rows)
}

#[tokio::test]
async fn two_exclude_each_other() {
    // lock
    let database = Database::new();
    let (here, elsewhere) = (database.locks(), database.locks());
    // end
    let both = async { tokio::join!(work(&here, &database), work(&elsewhere, &database)) };
    let (one, other) = in_time(both).await;
    assert_eq!(one.expect("rows") + other.expect("rows"), 200);
}

#[tokio::test]
async fn a_loss_is_told() {
    // lock
    let database = Database::new();
    let locks = database.locks();
    let held = locks.lock("nightly").await.expect("a lock");
    database.kill("nightly");
    held.lost().await;
    let released = held.release().await;
    assert!(matches!(released, Err(LocksError::Lost(_))), "{released:?}");
    // end
}
