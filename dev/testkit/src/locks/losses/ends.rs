//! Sessions that end, and that the client can hear of.

use super::figures::{Figures, next, timed};
use crate::cases::fresh_key;
use crate::locks::bounds::{in_time, ms, told_within};
use crate::locks::cases::network::by_link;
use crate::locks::fixture::{Fixture, LinkFixture};
use crate::locks::link::Link;
use futures::future::join_all;
use std::time::{Duration, Instant};

/// Somewhere between two pings.
pub(super) fn pause(number: usize) -> Duration {
    ms(u64::try_from(number * 137 % 1000).unwrap_or_default())
}

pub(super) async fn kill<F: Fixture>(fixture: F, figures: Figures) {
    let (mut times, count) = (Vec::new(), timed());
    while times.len() < count {
        let each = (0..next(times.len(), count)).map(|number| killed(&fixture, number));
        times.extend(in_time(join_all(each)).await);
    }
    figures.times("losses", "kill by an administrator", told_within::<F>(), times);
}

/// From the administrator's word on, so that the server's own time is in it.
async fn killed<F: Fixture>(fixture: &F, number: usize) -> Duration {
    let (key, locks) = (fresh_key("kill"), fixture.process());
    let held = locks.lock(F::key(&key)).await.expect("a lock");
    tokio::time::sleep(pause(number)).await;
    let begun = Instant::now();
    let ((), told) = tokio::join!(fixture.kill(&key), async {
        held.lost().await;
        Instant::now()
    });
    told - begun
}

pub(super) async fn fin<F: LinkFixture>(fixture: F, figures: Figures) {
    let (mut times, count) = (Vec::new(), timed());
    while times.len() < count {
        let each = (0..next(times.len(), count)).map(|number| cut(&fixture, number));
        times.extend(in_time(join_all(each)).await);
    }
    figures.times("losses", "connection closed (FIN)", told_within::<F>(), times);
}

async fn cut<F: LinkFixture>(fixture: &F, number: usize) -> Duration {
    let (key, (link, locks)) = (fresh_key("fin"), by_link(fixture));
    let held = locks.lock(F::key(&key)).await.expect("a lock");
    tokio::time::sleep(pause(number)).await;
    let begun = Instant::now();
    link.cut();
    held.lost().await;
    begun.elapsed()
}
