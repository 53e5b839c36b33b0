//! Processes that are stopped for longer than their leases, beside one that waits for their keys.

use super::figures::{Figures, next, tries};
use super::silence::many;
use crate::cases::fresh_key;
use crate::locks::bounds::{LEASE, in_time, ms, until_waiting};
use crate::locks::client::{Client, End};
use crate::locks::fixture::{Fixture, LocksOf, ProcessFixture};
use futures::future::join_all;
use std::time::Duration;
use tokio::task::JoinSet;

/// How soon a process that goes on is told: with its first poll.
const TOLD: Duration = ms(500);

pub(super) async fn stopped<F: ProcessFixture>(fixture: F, figures: Figures) {
    let (mut told, mut margins, mut late) = (Vec::new(), Vec::new(), 0);
    let (other, count) = (many(&fixture), tries());
    while told.len() < count {
        let stop = Stop::of(&fixture, &other, next(told.len(), count)).await;
        late += stop.ends.iter().map(|end| end.late).sum::<u32>();
        margins.extend(stop.margins());
        told.extend(stop.ends.iter().map(|end| end.told - stop.went_on));
    }
    println!("polled once after the loss: {late} of {count}");
    figures.times("losses", "SIGSTOP of the client, once it goes on", TOLD, told);
    if F::HAS_LEASE {
        figures.margins("SIGSTOP of the client", margins);
    }
}

/// One stop of a client with some keys.
struct Stop {
    went_on: Duration,
    /// When each key was granted to another, where the server has leases.
    granted: Vec<Duration>,
    ends: Vec<End>,
}

impl Stop {
    async fn of<F: ProcessFixture>(fixture: &F, other: &LocksOf<F>, keys: usize) -> Self {
        let key = fresh_key("stop");
        let mut client = Client::start(&fixture.url(), &key, keys).await;
        let waits = Waits::<F>::begin(other, &key, keys);
        in_time(join_all(waits.keys.iter().map(|key| until_waiting(fixture, key)))).await;
        client.stop();
        let granted = match F::HAS_LEASE {
            true => waits.granted().await,
            false => Vec::new(),
        };
        if granted.is_empty() {
            tokio::time::sleep(LEASE + ms(500)).await;
        }
        let (went_on, ()) = (Client::now(), client.go_on());
        Self { went_on, granted, ends: in_time(client.ends()).await }
    }

    /// How long before the next holder each last worked.
    fn margins(&self) -> impl Iterator<Item = Duration> {
        self.ends.iter().filter_map(|end| {
            assert!(end.late <= 1, "the work went on after the loss: {end:?}");
            let granted = *self.granted.get(end.number)?;
            assert!(end.worked < granted, "held {:?} after another", end.worked - granted);
            Some(granted - end.worked)
        })
    }
}

/// One who waits for each key of a client.
struct Waits<F: Fixture> {
    keys: Vec<String>,
    waits: JoinSet<(usize, Duration)>,
    locks: std::marker::PhantomData<fn() -> F>,
}

impl<F: Fixture> Waits<F> {
    fn begin(other: &LocksOf<F>, key: &str, keys: usize) -> Self {
        let keys = Vec::from_iter((0..keys).map(|number| format!("{key} {number}")));
        let mut waits = JoinSet::new();
        for (number, key) in keys.iter().enumerate() {
            let (other, key) = (other.clone(), F::key(key));
            waits.spawn(async move {
                let held = other.lock(key).await.expect("a lock");
                let granted = Client::now();
                held.release().await.expect("a release");
                (number, granted)
            });
        }
        Self { keys, waits, locks: std::marker::PhantomData }
    }

    /// When each was granted, in the order of the keys.
    async fn granted(self) -> Vec<Duration> {
        let mut granted = in_time(self.waits.join_all()).await;
        granted.sort_unstable();
        granted.into_iter().map(|(_, at)| at).collect()
    }
}
