//! What passed through a proxy.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Counters of all of a proxy's connections.
#[derive(Debug, Default)]
pub(super) struct Tally {
    connections: AtomicU64,
    round_trips: AtomicU64,
    bytes_up: AtomicU64,
    bytes_down: AtomicU64,
}

impl Tally {
    pub(super) fn connections(&self) -> u64 {
        self.connections.load(Relaxed)
    }

    pub(super) fn round_trips(&self) -> u64 {
        self.round_trips.load(Relaxed)
    }

    pub(super) fn bytes_up(&self) -> u64 {
        self.bytes_up.load(Relaxed)
    }

    pub(super) fn bytes_down(&self) -> u64 {
        self.bytes_down.load(Relaxed)
    }

    pub(super) fn connected(&self) {
        self.connections.fetch_add(1, Relaxed);
    }

    pub(super) fn sent(&self, bytes: u64) {
        self.bytes_up.fetch_add(bytes, Relaxed);
    }

    pub(super) fn received(&self, bytes: u64, answers: bool) {
        self.bytes_down.fetch_add(bytes, Relaxed);
        self.round_trips.fetch_add(u64::from(answers), Relaxed);
    }

    pub(super) fn reset(&self) {
        for counter in [&self.connections, &self.round_trips, &self.bytes_up, &self.bytes_down] {
            counter.store(0, Relaxed);
        }
    }
}
