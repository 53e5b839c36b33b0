use crate::LostReason;
use crate::clock::Clock;
use crate::engine::meter::Meter;
use crate::sync::OnceLock;
use crate::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;
use std::time::Duration;
use tokio::task;
use tokio_util::sync::CancellationToken;

/// Until when a session is trusted, in nanoseconds of the clock; for ever where it has no lease.
#[derive(Debug)]
pub(crate) struct Trust(AtomicU64);

impl Trust {
    pub(crate) const FOREVER: Duration = Duration::from_nanos(u64::MAX);

    pub(crate) fn until(end: Duration) -> Self {
        Self(AtomicU64::new(nanos(end)))
    }

    pub(crate) fn set(&self, end: Duration) {
        self.0.store(nanos(end), Ordering::Release);
    }

    fn end(&self) -> Duration {
        Duration::from_nanos(self.0.load(Ordering::Acquire))
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// What is known of a hold, by whoever holds it and by the engine.
#[derive(Debug)]
pub(crate) struct Hold {
    lost: OnceLock<LostReason>,
    cancel: CancellationToken,
    /// The fence's number.
    token: Option<u64>,
    /// The task that asked for it.
    pub(crate) task: Option<task::Id>,
    trust: Arc<Trust>,
    clock: Clock,
    meter: Arc<Meter>,
}

impl Hold {
    pub(crate) fn new(
        trust: Arc<Trust>,
        clock: Clock,
        cancel: CancellationToken,
        token: Option<u64>,
        task: Option<task::Id>,
        meter: Arc<Meter>,
    ) -> Self {
        Self { lost: OnceLock::new(), cancel, token, task, trust, clock, meter }
    }

    pub(crate) fn token(&self) -> Option<u64> {
        self.token
    }

    /// Why it is lost. What is seen by the clock here is lost for good, whatever the engine hears later.
    pub(crate) fn lost(&self) -> Option<LostReason> {
        if self.lost.get().is_none() && self.clock.now() >= self.trust.end() {
            self.lose(LostReason::Silent);
        }
        self.lost.get().copied()
    }

    /// Completes when it is lost.
    pub(crate) async fn cancelled(&self) {
        self.cancel.cancelled().await;
    }

    /// The first reason stays.
    pub(crate) fn lose(&self, reason: LostReason) {
        if self.lost.set(reason).is_ok() {
            self.cancel.cancel();
            self.meter.lost(reason);
        }
    }

    /// Nobody relies on it any more: from now on its loss is nobody's. `false`: it was lost before.
    pub(crate) fn shed(&self) -> bool {
        self.lost.set(LostReason::Closed).is_ok()
    }

    /// `None`: its session has no lease.
    pub(crate) fn trusted_for(&self) -> Option<Duration> {
        let end = self.trust.end();
        match self.lost() {
            Some(_) => Some(Duration::ZERO),
            None if end == Trust::FOREVER => None,
            None => Some(end.saturating_sub(self.clock.now())),
        }
    }
}
