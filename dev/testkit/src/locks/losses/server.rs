//! Servers that stand still.

use super::ends::pause;
use super::figures::{Figures, next, timed};
use super::silence::TOLD;
use crate::cases::fresh_key;
use crate::locks::bounds::{LEASE, in_time, ms};
use crate::locks::fixture::{Fixture, HeldOf, MachineFixture};
use dlock_locks::LostReason;
use futures::future::join_all;
use std::time::Instant;

pub(super) async fn stopped<F: MachineFixture>(fixture: F, figures: Figures) {
    let (mut times, count) = (Vec::new(), timed());
    while times.len() < count {
        let holders = (0..next(times.len(), count)).map(|_| holder(&fixture));
        let holders = in_time(join_all(holders)).await;
        tokio::time::sleep(pause(times.len())).await;
        let begun = Instant::now();
        fixture.freeze().await;
        let told = in_time(join_all(holders.iter().map(told::<F>))).await;
        tokio::time::sleep((LEASE + ms(100)).saturating_sub(begun.elapsed())).await;
        fixture.thaw().await;
        times.extend(told.into_iter().map(|told: Instant| told - begun));
    }
    figures.times("losses", "SIGSTOP of the server", TOLD, times);
}

async fn holder<F: Fixture>(fixture: &F) -> HeldOf<F> {
    fixture.process().lock(F::key(&fresh_key("server"))).await.expect("a lock")
}

async fn told<F: Fixture>(held: &HeldOf<F>) -> Instant {
    assert_eq!(held.lost().await.reason(), LostReason::Silent);
    Instant::now()
}
