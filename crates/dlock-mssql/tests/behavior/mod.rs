//! One module for each matter.

mod databases;
mod drops;
mod hands;
mod keys;
mod locks;
mod loss;
mod modes;
mod pools;
mod runtimes;
mod statements;
mod transactions;
mod upgrades;
mod waits;

use crate::server::{Tcp, config, connect, count};
use dlock_mssql::Lock;
use std::future::Future;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// A key that no other case uses, on a server that others may use too.
fn fresh(case: &str) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    format!("{case}-{}-{count}", std::process::id())
}

/// A new session.
async fn client() -> Tcp {
    connect(&config().await).await
}

/// A lock over a session of its own.
async fn lock(key: &str) -> Lock<Tcp> {
    Lock::new(client().await, key).expect("a fit key")
}

/// Fails when the case takes longer than a minute.
async fn bounded<T>(case: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(60), case).await.expect("a minute is enough")
}

/// Waits until the key has so many holders and waiters.
async fn until(observer: &mut Tcp, key: &str, seen: (usize, usize)) {
    let reached = async {
        while (count(observer, key, false).await, count(observer, key, true).await) != seen {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    let limit = tokio::time::timeout(Duration::from_secs(10), reached).await;
    limit.unwrap_or_else(|_| panic!("{key} never had {seen:?} holders and waiters"));
}

/// Waits until somebody waits for the key: how many rows a session has that holds it and waits to hold it
/// otherwise is the server's affair.
async fn until_waiting(observer: &mut Tcp, key: &str) {
    let reached = async {
        while count(observer, key, true).await == 0 {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    let limit = tokio::time::timeout(Duration::from_secs(10), reached).await;
    limit.unwrap_or_else(|_| panic!("nobody ever waited for {key}"));
}
