//! For how long this process stood still.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// How often the clock is looked at.
const LOOKS: Duration = Duration::from_millis(20);
/// What is no stop, but a machine that is busy.
const BUSY: Duration = Duration::from_millis(300);

/// The time, in milliseconds, that this process was stopped so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stops(Arc<AtomicU64>);

impl Stops {
    /// Looks for as long as the runtime lives.
    pub(crate) fn watch() -> Self {
        let stops = Self::default();
        let total = Arc::clone(&stops.0);
        tokio::spawn(async move {
            loop {
                let begun = Instant::now();
                tokio::time::sleep(LOOKS).await;
                let late = begun.elapsed().saturating_sub(LOOKS);
                if late > BUSY {
                    let millis = u64::try_from(late.as_millis()).unwrap_or(u64::MAX);
                    total.fetch_add(millis, Ordering::Relaxed);
                }
            }
        });
        stops
    }

    /// The whole of it, once a stop that has just ended is counted.
    pub(crate) async fn total(&self) -> Duration {
        tokio::time::sleep(LOOKS * 3).await;
        self.so_far()
    }

    pub(crate) fn so_far(&self) -> Duration {
        Duration::from_millis(self.0.load(Ordering::Relaxed))
    }
}
