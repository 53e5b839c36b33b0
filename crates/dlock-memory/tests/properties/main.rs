//! Random work of random processes under random faults, over a database made of memory: what `Locks` promises of
//! several keys, of semaphores, of leaders and of fences.
//!
//! A session that is killed frees its keys before its holder is told, so that two may believe that they hold
//! for a moment. They are told apart from two who do: those never hear of a loss.

mod all;
mod fault;
mod fences;
mod lead;
mod register;
mod semaphore;

use dlock_memory::{Database, Locks};
use fault::Fault;
use proptest::prelude::ProptestConfig;
use proptest::test_runner::TestCaseError;
use std::time::{Duration, Instant};
use tokio::runtime::Builder;
use tokio::task::{JoinError, JoinSet};

/// What hangs is broken.
const LIMIT: Duration = Duration::from_secs(30);
/// The shortest lease there is.
const LEASE: Duration = Duration::from_secs(3);

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// Each case takes up to a few seconds, by the clock on the wall.
fn config() -> ProptestConfig {
    ProptestConfig { cases: 24, max_shrink_iters: 8, ..ProptestConfig::default() }
}

/// A database, and as many processes over it.
fn processes(count: usize) -> (Database, Vec<Locks>) {
    let database = Database::new();
    let locks = || database.builder().lease(LEASE).build().expect("a thread");
    let locks = (0..count).map(|_| locks()).collect();
    (database, locks)
}

/// Runs tasks to their end under faults, after which nobody holds or awaits anything.
fn run(
    database: &Database,
    faults: Vec<Fault>,
    keys: Vec<String>,
    begin: impl FnOnce(&mut JoinSet<()>),
) -> Result<(), TestCaseError> {
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let outcome = runtime.block_on(async {
        let mut tasks = JoinSet::new();
        tasks.spawn(fault::inflict(database.clone(), faults, keys.clone()));
        begin(&mut tasks);
        let ends = async {
            while let Some(ended) = tasks.join_next().await {
                ended?;
            }
            Ok::<_, JoinError>(())
        };
        tokio::time::timeout(LIMIT, ends).await
    });
    outcome
        .map_err(|_| TestCaseError::fail("somebody waits for ever"))?
        .map_err(|panicked| TestCaseError::fail(panicked.to_string()))?;
    runtime.block_on(until_nothing(database, &keys)).map_err(TestCaseError::fail)
}

/// Nobody holds or awaits any of the keys, before long: a session that was cut off stays for its lease.
async fn until_nothing(database: &Database, keys: &[String]) -> Result<(), String> {
    let begun = Instant::now();
    let left =
        || keys.iter().map(|key| database.holders(key) + database.waiters(key)).sum::<usize>();
    while left() > 0 {
        if begun.elapsed() > LEASE + ms(2000) {
            return Err(format!("{} of the keys are held or awaited at the end", left()));
        }
        tokio::time::sleep(ms(5)).await;
    }
    Ok(())
}
