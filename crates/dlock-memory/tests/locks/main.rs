//! The promises of `Locks`, over a database made of memory: several of them over one database are several
//! processes.

mod all;
mod alone;
mod calls;
mod drops;
mod exclusion;
mod lead;
mod loss;
mod semaphore;
mod sessions;

use dlock_memory::{Database, Locks};
use std::future::Future;
use std::time::Duration;

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// What hangs is broken.
async fn in_time<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(Duration::from_secs(60), future).await.expect("an end")
}

/// As many processes over one database.
fn processes<const N: usize>() -> (Database, [Locks; N]) {
    let database = Database::new();
    let locks = std::array::from_fn(|_| database.builder().lease(Duration::from_secs(3)).build());
    (database, locks.map(|locks| locks.expect("a thread")))
}

/// Waits until it is so.
async fn until(mut so: impl FnMut() -> bool) {
    while !so() {
        tokio::time::sleep(ms(1)).await;
    }
}
