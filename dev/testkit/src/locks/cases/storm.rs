//! Promise: whatever many tasks of four processes do, at random, nobody is ever two and nothing is left.

use crate::cases::fresh_key;
use crate::locks::bounds::{in_time, until_nothing};
use crate::locks::fixture::{Fixture, HeldOf, LocksOf};
use crate::locks::inside::Inside;
use crate::polled::polled;
use dlock_core::Wait;
use dlock_locks::{Error, Mode, Request, SharedDriver};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;
use tokio::time::timeout;

/// For how long.
const STORM: Duration = Duration::from_secs(8);

/// Random numbers that a seed repeats: the constants are Knuth's.
struct Rng(u64);

impl Rng {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }

    fn micros(&mut self, limit: u64) -> Duration {
        Duration::from_micros(self.below(limit))
    }
}

/// Asks in one of many ways, and may give up.
async fn ask<F: Fixture>(request: &Request<F::Driver>, rng: &mut Rng) -> Option<HeldOf<F>> {
    let wait = match rng.below(4) {
        0 => Wait::No,
        1 => Wait::For(rng.micros(30_000)),
        _ => Wait::Forever,
    };
    let answer = match rng.below(4) {
        0 => timeout(rng.micros(10_000), request.acquire(wait)).await.ok()?,
        1 => polled(request.acquire(wait), 1).await?,
        _ => request.acquire(wait).await,
    };
    match answer {
        Ok(held) => Some(held),
        Err(Error::TimedOut { .. }) => None,
        Err(error) => panic!("{error:?}"),
    }
}

async fn stay<F: Fixture>(held: HeldOf<F>, inside: &Inside, section: usize, rng: &mut Rng) {
    let stay = match held.mode() {
        Mode::Shared => inside.shared(section),
        _ => inside.alone(section),
    };
    match rng.below(3) {
        0 => tokio::time::sleep(rng.micros(4_000)).await,
        _ => tokio::task::yield_now().await,
    }
    assert!(!held.is_lost());
    drop(stay);
    match rng.below(4) {
        0 => drop(held),
        1 => drop(polled(held.release(), 1).await),
        _ => held.release().await.expect("a release"),
    }
}

type Refine<F> = fn(Request<<F as Fixture>::Driver>) -> Request<<F as Fixture>::Driver>;

async fn task<F: Fixture>(
    locks: LocksOf<F>,
    keys: Vec<String>,
    inside: Inside,
    seed: u64,
    shared: Option<Refine<F>>,
) -> u64 {
    let (mut rng, begun, mut granted) = (Rng(seed), Instant::now(), 0);
    while begun.elapsed() < STORM {
        let section = usize::try_from(rng.below(3)).expect("a small number");
        let request = locks.key(F::key(&keys[section])).expect("a key");
        let request = match shared {
            Some(shared) if rng.below(2) == 0 => shared(request),
            _ => request,
        };
        if let Some(held) = ask::<F>(&request, &mut rng).await {
            granted += 1;
            stay::<F>(held, &inside, section, &mut rng).await;
        }
    }
    granted
}

async fn storm<F: Fixture>(fixture: F, shared: Option<Refine<F>>) {
    let (keys, processes) = ([(); 3].map(|()| fresh_key("storm")), fixture.processes::<4>());
    let (inside, mut tasks) = (Inside::new(3), JoinSet::new());
    let seed = u64::from(std::process::id());
    println!("the storm's seed is {seed}");
    for number in 0..60_u64 {
        let locks = processes[usize::try_from(number % 4).expect("a small number")].clone();
        let seed = seed.wrapping_mul(1000).wrapping_add(number);
        tasks.spawn(task::<F>(locks, keys.to_vec(), inside.clone(), seed, shared));
    }
    let granted = in_time(tasks.join_all()).await;
    println!(
        "{} were granted, {:?} to the least",
        granted.iter().sum::<u64>(),
        granted.iter().min()
    );
    for key in &keys {
        until_nothing(&fixture, key).await;
    }
    for locks in processes {
        let stats = locks.stats().await.expect("counts");
        assert_eq!((stats.losses, stats.held, stats.waiting), (0, 0, 0), "{stats:?}");
    }
}

pub(in crate::locks) async fn exclusive<F: Fixture>(fixture: F) {
    storm(fixture, None).await;
}

pub(in crate::locks) async fn readers_and_writers<F: Fixture<Driver: SharedDriver>>(fixture: F) {
    storm(fixture, Some(Request::shared)).await;
}
