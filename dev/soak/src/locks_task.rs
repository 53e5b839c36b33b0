//! One task of a worker's `Locks`: fights one contest, drops waits, locks and releases, and watches the promises
//! of a factory that owns its sessions.

use crate::contest::{Answer, Catch, Fight};
use crate::dice::Dice;
use crate::event::Kind;
use crate::gate::Gate;
use crate::section::Found;
use crate::stops::Stops;
use crate::tally::Tally;
use anyhow::{Context, Result, anyhow, bail, ensure};
use dlock_core::Wait;
use dlock_locks::{Error, Held, LostReason};
use dlock_testkit::polled::polled;
use std::thread;
use std::time::{Duration, Instant};
use tokio::task::spawn_blocking;
use tokio::time::{sleep, timeout};

/// How much later than promised a bounded call may return on a machine that is busy.
const SLACK: Duration = Duration::from_secs(2);
/// How long a call that promises no bound may take while the server is silent.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long a stay may take that has to wait for another's loss.
const STAY: Duration = Duration::from_secs(25);

/// One task on one server.
#[derive(Debug)]
pub(crate) struct LocksTask<F> {
    pub(crate) fight: F,
    pub(crate) kind: Kind,
    pub(crate) dice: Dice,
    pub(crate) gate: Gate,
    pub(crate) tally: Tally,
    stops: Stops,
}

impl<F: Fight> LocksTask<F> {
    /// A task that has done nothing yet.
    pub(crate) fn new(fight: F, kind: Kind, dice: Dice, gate: Gate, tally: Tally) -> Self {
        Self { fight, kind, dice, gate, tally, stops: Stops::watch() }
    }

    /// Works until the process ends.
    pub(crate) async fn run(mut self) {
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
        self.tally.count(self.kind, &format!("{}: {what}", F::CONTEST));
    }

    fn violation(&self, what: &str) {
        self.tally.violation(self.kind, &format!("{}: {what}", F::CONTEST));
    }

    /// One connection to the register: some rounds, until it fails.
    async fn visit(&mut self) -> Result<()> {
        let connected = timeout(PATIENCE, self.fight.watch()).await;
        let mut watch = connected.context("no connection in time")?.context("no connection")?;
        for _ in 0..=self.dice.below(40) {
            self.gate.pass().await;
            let ask = self.fight.ask(&mut self.dice)?;
            let catch = match self.dice.below(4) {
                0 => self.drop_wait(&ask).await,
                _ => self.acquire(&ask).await?,
            };
            if let Some(catch) = catch {
                self.inside(&mut watch, &ask, catch).await?;
            }
        }
        Ok(())
    }

    /// A bounded acquire, which must return in time whatever happens.
    async fn acquire(&mut self, ask: &F::Ask) -> Result<Option<F::Catch>> {
        let limit = match self.dice.below(4) {
            0 => Duration::ZERO,
            1 => self.dice.micros(1, 20_000),
            _ => self.dice.millis(20, 2_000),
        };
        let (start, stopped) = (Instant::now(), self.stops.so_far());
        // Whoever does not wait waits for the server's answer.
        let longest = limit.max(PATIENCE) + SLACK;
        let answer = timeout(longest, self.fight.acquire(ask, limit.into())).await;
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

    fn granted(&self, answer: Answer<F>) -> Option<F::Catch> {
        match answer {
            Ok(catch) => return Some(catch),
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
    async fn drop_wait(&mut self, ask: &F::Ask) -> Option<F::Catch> {
        let patience = match self.dice.below(4) {
            0 => self.dice.millis(5, 300),
            _ => self.dice.micros(0, 6_000),
        };
        match timeout(patience, self.fight.acquire(ask, Wait::Forever)).await {
            Ok(answer) => self.granted(answer),
            Err(_) => {
                self.count("waits dropped");
                None
            }
        }
    }

    /// In, out, and the lock let go in one of many ways.
    async fn inside(&mut self, watch: &mut F::Watch, ask: &F::Ask, catch: F::Catch) -> Result<()> {
        let stay = match self.dice.below(60) {
            0 => self.dice.millis(1_000, 4_000),
            1..6 => self.dice.millis(50, 600),
            _ => self.dice.micros(0, 3_000),
        };
        let found = timeout(STAY, self.fight.stay(watch, ask, &catch, stay)).await;
        match found.context("section: no answer in time")?.context("section")? {
            Found::Alone => {}
            Found::Inherited => self.count("sections after one who lost or died inside"),
            Found::Overlap(what) => {
                self.violation(&format!("overlap: {what}"));
                return Err(anyhow!("overlap"));
            }
        }
        match catch.held().is_lost() {
            true => self.lost(catch.held()).await,
            false => self.count("critical sections"),
        }
        self.let_go(catch).await
    }

    async fn lost(&self, held: &Held<F::Driver>) {
        let lost = held.lost().await;
        self.count(&format!("lost: {:?}", lost.reason()));
        if !held.cancelled().is_cancelled() || held.must_have(Duration::ZERO).is_ok() {
            self.violation("a lock that is lost says that it is not");
        }
        if lost.reason() == LostReason::NotHeld {
            self.violation("a session let go of what it held");
        }
    }

    async fn let_go(&mut self, catch: F::Catch) -> Result<()> {
        let was_lost = catch.held().is_lost();
        match self.dice.below(10) {
            0 | 1 => drop(catch),
            2 => drop(polled(catch.release(), 1).await),
            3 => {
                let dropped = spawn_blocking(move || thread::spawn(move || drop(catch)).join());
                ensure!(dropped.await?.is_ok(), "a drop panicked");
            }
            _ => {
                let released = timeout(PATIENCE, catch.release()).await;
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
