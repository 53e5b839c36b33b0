//! How long it is until another leads.

use super::ends::pause;
use super::figures::{AT_ONCE, Figures, next, timed};
use crate::cases::fresh_key;
use crate::locks::bounds::{LEASE, in_time, ms, until_waiting};
use crate::locks::cases::network::by_link;
use crate::locks::fixture::{Fixture, LinkFixture, LocksOf, MachineFixture};
use crate::locks::link::Link;
use futures::future::{join, join_all, select};
use std::future::{Future, pending};
use std::ops::ControlFlow;
use std::pin::pin;
use std::time::{Duration, Instant};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// Two pairs of sessions each: fewer at a time.
const PAIRS: usize = AT_ONCE / 2;
/// What another needs to begin, once the key is free.
const BEGINS: Duration = ms(100);
/// From when the server lets somebody in again: competing is tried again after 7.5 s at most.
const AGAIN: Duration = ms(7500);

/// Leads for ever, and tells when each term began.
async fn reign<F: Fixture>(locks: &LocksOf<F>, key: &str, began: UnboundedSender<Instant>) {
    let body = async |_| {
        // Who listens no more has seen enough.
        let _ = began.send(Instant::now());
        pending::<ControlFlow<()>>().await
    };
    locks.lead(F::key(key), body).await.expect("it leads for ever");
}

/// One that leads and one that wants to, until something was done to the first.
struct Pair<'a, F: Fixture> {
    fixture: &'a F,
    key: String,
    leader: LocksOf<F>,
    rival: LocksOf<F>,
}

impl<'a, F: Fixture> Pair<'a, F> {
    fn new(fixture: &'a F, leader: LocksOf<F>) -> Self {
        Self { fixture, key: fresh_key("lead"), leader, rival: fixture.process() }
    }

    /// How long after `fault` somebody led again: it says from when time counts.
    async fn taken_over(&self, fault: impl AsyncFnOnce(&str) -> Instant) -> Duration {
        let [(first, mut led), (second, mut leads)] = [unbounded_channel(), unbounded_channel()];
        let reigns = join(reign::<F>(&self.leader, &self.key, first), async {
            led_first(&mut led).await;
            reign::<F>(&self.rival, &self.key, second).await;
        });
        let (mut reigns, mut script) = (pin!(reigns), pin!(self.follow(&mut leads, fault)));
        match select(&mut script, &mut reigns).await {
            futures::future::Either::Left((took, _)) => took,
            futures::future::Either::Right(_) => unreachable!("they lead for ever"),
        }
    }

    async fn follow(
        &self,
        leads: &mut UnboundedReceiver<Instant>,
        fault: impl AsyncFnOnce(&str) -> Instant,
    ) -> Duration {
        until_waiting(self.fixture, &self.key).await;
        let begun = fault(&self.key).await;
        led_first(leads).await.saturating_duration_since(begun)
    }
}

async fn led_first(terms: &mut UnboundedReceiver<Instant>) -> Instant {
    terms.recv().await.expect("a term")
}

/// As many as are to be timed, some at a time.
async fn timed_by<Fut: Future<Output = Duration>>(each: impl Fn(usize) -> Fut) -> Vec<Duration> {
    let (mut times, count) = (Vec::new(), timed());
    while times.len() < count {
        let some = (0..next(times.len(), count).min(PAIRS)).map(&each);
        times.extend(in_time(join_all(some)).await);
    }
    times
}

pub(super) async fn kill<F: Fixture>(fixture: F, figures: Figures) {
    let fixture = &fixture;
    let times = timed_by(async |number| {
        let pair = Pair::new(fixture, fixture.process());
        let kill = async |key: &str| {
            tokio::time::sleep(pause(number)).await;
            let begun = Instant::now();
            fixture.kill(key).await;
            begun
        };
        pair.taken_over(kill).await
    });
    figures.times("lead", "kill by an administrator", BEGINS, times.await);
}

pub(super) async fn fin<F: LinkFixture>(fixture: F, figures: Figures) {
    let times = timed_by(async |number| by_fault(&fixture, number, Link::cut).await);
    figures.times("lead", "connection closed (FIN)", BEGINS, times.await);
}

pub(super) async fn silence<F: LinkFixture>(fixture: F, figures: Figures) {
    if !F::HAS_LEASE {
        return;
    }
    let times = timed_by(async |number| by_fault(&fixture, number, Link::silence).await);
    figures.times("lead", "silence of the network", LEASE + BEGINS, times.await);
}

async fn by_fault<F: LinkFixture>(fixture: &F, number: usize, fault: fn(&F::Link)) -> Duration {
    let (link, leader) = by_link(fixture);
    let fault = async |_: &str| {
        tokio::time::sleep(pause(number)).await;
        let begun = Instant::now();
        fault(&link);
        begun
    };
    Pair::new(fixture, leader).taken_over(fault).await
}

/// From when the server is there again.
pub(super) async fn restart<F: MachineFixture>(fixture: F, figures: Figures) {
    let (mut times, count) = (Vec::new(), timed());
    while times.len() < count {
        times.extend(in_time(restarted(&fixture, next(times.len(), count).min(PAIRS))).await);
    }
    figures.times("lead", "restart of the server, once it is back", AGAIN, times);
}

/// All pairs lead and wait when the server goes; each then has a leader again, whichever of the two.
async fn restarted<F: MachineFixture>(fixture: &F, pairs: usize) -> Vec<Duration> {
    let pairs = Vec::from_iter((0..pairs).map(|_| [fixture.process(), fixture.process()]));
    let keys = Vec::from_iter(pairs.iter().map(|_| fresh_key("restart")));
    let (senders, mut terms): (Vec<_>, Vec<_>) = keys.iter().map(|_| unbounded_channel()).unzip();
    let both = |at: usize| {
        let [one, other] = &pairs[at];
        let (key, began) = (&keys[at], &senders[at]);
        join(reign::<F>(one, key, began.clone()), reign::<F>(other, key, began.clone()))
    };
    let reigns = join_all((0..pairs.len()).map(both));
    let script = async {
        join_all(terms.iter_mut().map(led_first)).await;
        join_all(keys.iter().map(|key| until_waiting(fixture, key))).await;
        fixture.stop().await;
        fixture.start().await;
        let begun = Instant::now();
        let again = join_all(terms.iter_mut().map(led_first)).await;
        Vec::from_iter(again.into_iter().map(|at| at.saturating_duration_since(begun)))
    };
    let (script, reigns) = (pin!(script), pin!(reigns));
    match select(script, reigns).await {
        futures::future::Either::Left((times, _)) => times,
        futures::future::Either::Right(_) => unreachable!("they lead for ever"),
    }
}
