//! How long things may take.

use super::fixture::Fixture;
use std::future::Future;
use std::time::{Duration, Instant};

/// The lease of every process: the shortest there is.
pub(super) const LEASE: Duration = Duration::from_secs(3);
/// A holder is told of silence then.
pub(super) const TRUST: Duration = Duration::from_millis(2700);
/// What hangs is broken.
const DEADLINE: Duration = Duration::from_secs(60);
pub(super) use crate::trial::BUSY;

pub(super) const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

pub(super) async fn in_time<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(DEADLINE, future).await.expect("an end within a minute")
}

/// Waits until it is so.
pub(super) async fn until(what: &str, mut so: impl AsyncFnMut() -> bool) {
    until_within(what, DEADLINE, &mut so).await;
}

/// Waits until it is so, for at most so long.
pub(super) async fn until_within(what: &str, limit: Duration, mut so: impl AsyncFnMut() -> bool) {
    let begun = Instant::now();
    while !so().await {
        assert!(begun.elapsed() < limit, "not within {limit:?}: {what}");
        tokio::time::sleep(ms(2)).await;
    }
}

/// Waits until nobody holds the key or waits for it, which takes no longer than the server may.
pub(super) async fn until_nothing<F: Fixture>(fixture: &F, key: &str) {
    let gone = async || fixture.holders(key).await + fixture.waiters(key).await == 0;
    until_within("nobody holds the key or waits for it", F::FORGETS + BUSY, gone).await;
}

/// Waits until the server shows a waiter.
pub(super) async fn until_waiting<F: Fixture>(fixture: &F, key: &str) {
    until("somebody waits for the key", async || fixture.waiters(key).await > 0).await;
}

/// The middle one.
pub(super) fn median(mut all: Vec<Duration>) -> Duration {
    all.sort();
    all[all.len() / 2]
}

/// Within how long a holder is told of the end of its connection, in the median.
pub(super) const fn told_within<F: Fixture>() -> Duration {
    match F::TELLS_ENDS {
        true => ms(50),
        // The next ping tells.
        false => ms(1050),
    }
}
