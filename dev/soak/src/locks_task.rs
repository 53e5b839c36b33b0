//! One task of a worker's `Locks`: fights for the same keys as those with a lock each, and watches the
//! promises of a factory that owns its sessions.

use crate::dice::Dice;
use crate::event::Kind;
use crate::gate::Gate;
use crate::locks_section::Section;
use crate::section::Found;
use crate::stops::Stops;
use crate::tally::Tally;
use crate::target::{Factory, KEYS};
use anyhow::{Context, Result, anyhow, bail, ensure};
use dlock_locks::{Driver, Error, Held, Locks, LostReason};
use dlock_testkit::polled::polled;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};
use tokio::task::spawn_blocking;
use tokio::time::{sleep, timeout};

/// How much later than promised a bounded call may return on a machine that is busy.
const SLACK: Duration = Duration::from_secs(2);
/// How long a call that promises no bound may take while the server is silent.
const PATIENCE: Duration = Duration::from_secs(10);

type HeldBy<T> = Held<<T as Factory>::Driver>;
type ErrorOf<T> = Error<<<T as Factory>::Driver as Driver>::Error>;

/// One task on one server.
#[derive(Debug)]
pub struct LocksTask<T: Factory> {
    kind: Kind,
    target: Arc<T>,
    locks: Locks<T::Driver>,
    dice: Dice,
    gate: Gate,
    tally: Tally,
    stops: Stops,
}

impl<T: Factory> LocksTask<T> {
    /// A task that has done nothing yet.
    pub fn new(
        kind: Kind,
        target: Arc<T>,
        locks: Locks<T::Driver>,
        dice: Dice,
        gate: Gate,
        tally: Tally,
    ) -> Self {
        Self { kind, target, locks, dice, gate, tally, stops: Stops::watch() }
    }

    /// Works until the process ends.
    pub async fn run(mut self) {
        loop {
            self.gate.pass().await;
            if let Err(error) = self.visit().await {
                let innermost = error.chain().next().map(ToString::to_string);
                self.count(&format!("register given up: {}", innermost.unwrap_or_default()));
                sleep(self.dice.millis(1, 60)).await;
            }
        }
    }

    fn count(&self, what: &str) {
        self.tally.count(self.kind, &format!("Locks: {what}"));
    }

    fn violation(&self, what: &str) {
        self.tally.violation(self.kind, &format!("Locks: {what}"));
    }

    /// One connection to the register: some rounds, until it fails.
    async fn visit(&mut self) -> Result<()> {
        let connected = timeout(PATIENCE, Section::<T>::connect(&self.target)).await;
        let mut section = connected.context("no connection in time")?.context("no connection")?;
        for _ in 0..=self.dice.below(40) {
            self.gate.pass().await;
            let key = *self.dice.pick(&KEYS).context("there are keys")?;
            let held = match self.dice.below(4) {
                0 => self.drop_wait(key).await?,
                _ => self.acquire(key).await?,
            };
            if let Some(held) = held {
                self.inside(&mut section, key, held).await?;
            }
        }
        Ok(())
    }

    /// A bounded acquire, which must return in time whatever happens.
    async fn acquire(&mut self, key: &str) -> Result<Option<HeldBy<T>>> {
        let limit = match self.dice.below(4) {
            0 => Duration::ZERO,
            1 => self.dice.micros(1, 20_000),
            _ => self.dice.millis(20, 2_000),
        };
        let (start, stopped) = (Instant::now(), self.stops.so_far());
        // Whoever does not wait waits for the server's answer.
        let longest = limit.max(PATIENCE) + SLACK;
        let answer = timeout(longest, self.locks.lock_within(T::key(key)?, limit)).await;
        let late = start.elapsed().saturating_sub(limit);
        let Ok(answer) = answer else {
            self.violation(&format!(
                "hang: a wait of {limit:?} had not returned after {longest:?}"
            ));
            bail!("hang");
        };
        if !limit.is_zero() {
            self.late(limit, late, stopped).await;
        }
        self.count("bounded calls");
        Ok(self.granted(answer))
    }

    /// A process that was stopped is late by as much.
    async fn late(&self, limit: Duration, late: Duration, stopped: Duration) {
        let late = match late > SLACK / 4 {
            true => late.saturating_sub(self.stops.total().await - stopped),
            false => late,
        };
        self.tally.outlasted(self.kind, late);
        if late > SLACK {
            self.violation(&format!("a wait of {limit:?} returned {late:?} later"));
        }
    }

    fn granted(&self, answer: Result<HeldBy<T>, ErrorOf<T>>) -> Option<HeldBy<T>> {
        match answer {
            Ok(held) => return Some(held),
            Err(Error::TimedOut { .. }) => self.count("waits timed out"),
            Err(error) => {
                let all = format!("{error:?}");
                let name = all.split(['(', ' ', '{']).next().unwrap_or_default();
                self.count(&format!("acquire: {name}"));
            }
        }
        None
    }

    /// A wait that is dropped at some moment, unless it is granted before.
    async fn drop_wait(&mut self, key: &str) -> Result<Option<HeldBy<T>>> {
        let patience = match self.dice.below(4) {
            0 => self.dice.millis(5, 300),
            _ => self.dice.micros(0, 6_000),
        };
        match timeout(patience, self.locks.lock(T::key(key)?)).await {
            Ok(answer) => Ok(self.granted(answer)),
            Err(_) => {
                self.count("waits dropped");
                Ok(None)
            }
        }
    }

    /// In, out, and the lock let go in one of many ways.
    async fn inside(&mut self, section: &mut Section<T>, key: &str, held: HeldBy<T>) -> Result<()> {
        let stay = match self.dice.below(60) {
            0 => self.dice.millis(1_000, 4_000),
            1..6 => self.dice.millis(50, 600),
            _ => self.dice.micros(0, 3_000),
        };
        let found = timeout(PATIENCE, section.stay(key, &held, stay)).await;
        match found.context("section: no answer in time")?.context("section")? {
            Found::Alone => {}
            Found::Inherited => self.count("sections after one who lost or died inside"),
            Found::Overlap(what) => {
                self.violation(&format!("overlap: {what}"));
                return Err(anyhow!("overlap"));
            }
        }
        match held.is_lost() {
            true => self.lost(&held).await,
            false => self.count("critical sections"),
        }
        self.let_go(held).await
    }

    async fn lost(&self, held: &HeldBy<T>) {
        let lost = held.lost().await;
        self.count(&format!("lost: {:?}", lost.reason()));
        if !held.cancelled().is_cancelled() || held.must_have(Duration::ZERO).is_ok() {
            self.violation("a lock that is lost says that it is not");
        }
        if lost.reason() == LostReason::NotHeld {
            self.violation("a session let go of what it held");
        }
    }

    async fn let_go(&mut self, held: HeldBy<T>) -> Result<()> {
        let was_lost = held.is_lost();
        match self.dice.below(10) {
            0 | 1 => drop(held),
            2 => drop(polled(held.release(), 1).await),
            3 => {
                let dropped = spawn_blocking(move || thread::spawn(move || drop(held)).join());
                ensure!(dropped.await?.is_ok(), "a drop panicked");
            }
            _ => {
                let released = timeout(PATIENCE, held.release()).await;
                let Ok(released) = released else {
                    self.violation("hang: a release had not returned after 10 s");
                    bail!("hang");
                };
                if was_lost && released.is_ok() {
                    self.violation("a lock that was lost was released as if it were held");
                }
            }
        }
        Ok(())
    }
}
