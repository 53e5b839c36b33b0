//! What all workers told, kept by the supervisor.

use crate::event::{Counts, Event};
use std::collections::BTreeSet;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::watch;

/// What was told so far.
#[derive(Clone, Debug, Default)]
pub struct Told {
    /// How often each thing happened.
    pub counts: Counts,
    /// The longest that a bounded call outlasted its wait, in milliseconds, by server.
    pub slowest: Counts,
    /// The promises that were broken.
    pub violations: Vec<String>,
}

/// The record, and which workers stand still.
#[derive(Clone, Debug)]
pub struct Record {
    told: Arc<Mutex<Told>>,
    parked: watch::Sender<BTreeSet<u64>>,
}

impl Record {
    /// A record of these events.
    #[must_use]
    pub fn of(mut events: UnboundedReceiver<(u64, Event)>) -> Self {
        let record = Self { told: Arc::default(), parked: watch::Sender::default() };
        let writer = record.clone();
        tokio::spawn(async move {
            while let Some((worker, event)) = events.recv().await {
                writer.write(worker, event);
            }
        });
        record
    }

    fn write(&self, worker: u64, event: Event) {
        match event {
            Event::Counts(counts) => self.add(counts),
            Event::Slowest(slowest) => {
                for (kind, millis) in slowest {
                    let mut told = self.told();
                    let slowest = told.slowest.entry(kind).or_default();
                    *slowest = (*slowest).max(millis);
                }
            }
            Event::Parked => {
                self.parked.send_if_modified(|parked| parked.insert(worker));
            }
            Event::Violation(what) => self.violation(format!("worker {worker}: {what}")),
        }
    }

    /// Counts more.
    pub fn add(&self, counts: Counts) {
        let mut told = self.told();
        for (what, count) in counts {
            *told.counts.entry(what).or_default() += count;
        }
    }

    /// Notes a broken promise, and says so.
    pub fn violation(&self, what: String) {
        eprintln!("VIOLATION {what}");
        self.told().violations.push(what);
    }

    /// Waits until these workers have said that they stand still, and forgets it.
    pub async fn parked(&self, workers: &BTreeSet<u64>) {
        let mut parked = self.parked.subscribe();
        let _ = parked.wait_for(|parked| parked.is_superset(workers)).await;
    }

    /// Nobody stands still any more.
    pub fn resumed(&self) {
        self.parked.send_modify(|parked| drop(mem::take(parked)));
    }

    /// What was told so far.
    #[must_use]
    pub fn so_far(&self) -> Told {
        self.told().clone()
    }

    fn told(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
