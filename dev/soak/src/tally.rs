//! What a worker counts.

use crate::event::{Counts, Event, Kind};
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::mpsc::UnboundedSender;

/// The counters that all tasks of a worker share.
#[derive(Clone, Debug)]
pub struct Tally {
    counts: Arc<Mutex<(Counts, Counts)>>,
    events: UnboundedSender<Event>,
}

impl Tally {
    /// Counts that are told by way of `events`.
    #[must_use]
    pub fn new(events: UnboundedSender<Event>) -> Self {
        Self { counts: Arc::default(), events }
    }

    /// One more.
    pub fn count(&self, kind: Kind, what: &str) {
        *self.counts().0.entry(format!("{kind}: {what}")).or_default() += 1;
    }

    /// A bounded call outlasted its wait by so much.
    pub fn outlasted(&self, kind: Kind, by: Duration) {
        let millis = u64::try_from(by.as_millis()).unwrap_or(u64::MAX);
        let mut counts = self.counts();
        let slowest = counts.1.entry(kind.to_string()).or_default();
        *slowest = (*slowest).max(millis);
    }

    /// A promise was broken: told at once.
    pub fn violation(&self, kind: Kind, what: &str) {
        // Nobody listens any more at the end of a run.
        let _ = self.events.send(Event::Violation(format!("{kind}: {what}")));
    }

    /// Tells what was counted since the last time.
    pub fn tell(&self) {
        let (counts, slowest) = mem::take(&mut *self.counts());
        for (event, is_empty) in [
            (Event::Slowest(slowest.clone()), slowest.is_empty()),
            (Event::Counts(counts.clone()), counts.is_empty()),
        ] {
            if !is_empty {
                let _ = self.events.send(event);
            }
        }
    }

    fn counts(&self) -> MutexGuard<'_, (Counts, Counts)> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
