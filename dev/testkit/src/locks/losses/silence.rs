//! Holders whose session falls silent, beside others who wait.

use super::ends::pause;
use super::figures::{AT_ONCE, Figures, next, tries};
use crate::locks::bounds::{LEASE, in_time, ms};
use crate::locks::cases::silence::one;
use crate::locks::fixture::{LinkFixture, LocksOf};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;

/// The end of trust, by a timer that counts in milliseconds on a busy machine.
pub(super) const TOLD: Duration = Duration::from_millis(2750);

pub(super) async fn silence<F: LinkFixture>(fixture: F, figures: Figures) {
    let (fixture, count) = (Arc::new(fixture), tries());
    let (mut told, mut margins) = (Vec::new(), Vec::new());
    let other = many(&*fixture);
    while told.len() < count {
        let mut each = JoinSet::new();
        for number in 0..next(told.len(), count) {
            each.spawn(one(Arc::clone(&fixture), other.clone(), ms(300) + pause(number)));
        }
        for silent in in_time(each.join_all()).await {
            told.push(silent.told);
            margins.push(silent.margin);
        }
    }
    figures.times("losses", "silence of the network", TOLD, told);
    if F::HAS_LEASE {
        figures.margins("silence of the network", margins);
    }
}

/// A process that waits for many keys at a time, each on a session of its own.
pub(super) fn many<F: crate::locks::Fixture>(fixture: &F) -> LocksOf<F> {
    fixture.builder().lease(LEASE).max_waiting(AT_ONCE).build().expect("a thread")
}
