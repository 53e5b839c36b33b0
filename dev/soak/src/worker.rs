//! A worker: the tasks of one process, which its supervisor pauses, counts and kills.

use crate::contest::fenced::Fenced;
use crate::contest::leader::Leader;
use crate::contest::mixed::Mixed;
use crate::contest::permits::Permits;
use crate::contest::several::Several;
use crate::contest::shared::Shared;
use crate::contest::{Contest, Fight};
use crate::dice::Dice;
use crate::event::{Event, Job, Kind, Order, Place};
use crate::gate::{Gate, Keeper};
use crate::locks_task::LocksTask;
use crate::tally::Tally;
use crate::target::mssql::Mssql;
use crate::target::mysql::MySql;
use crate::target::oracle::Oracle;
use crate::target::postgres::Postgres;
use crate::target::{Factory, Ledger, Target};
use anyhow::{Context, Result};
use dlock_locks::SharedDriver;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, stdin, stdout};
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tokio::task::JoinSet;

/// How often the counts are told.
const TELL: Duration = Duration::from_millis(200);

/// Works as a process of its own: orders come by standard input, events go by standard output. The
/// end of the input is the end of the work.
///
/// # Errors
/// Returns an error if the job cannot be begun or nobody reads.
pub async fn process(job: Job) -> Result<()> {
    let (order, orders) = mpsc::unbounded_channel();
    let (event, events) = mpsc::unbounded_channel();
    let reader = tokio::spawn(read(order));
    tokio::select! {
        worked = work(job, orders, event) => worked,
        written = write(events) => written,
        ended = reader => ended?,
    }
}

async fn read(orders: UnboundedSender<Order>) -> Result<()> {
    let mut lines = BufReader::new(stdin()).lines();
    while let Some(line) = lines.next_line().await? {
        orders.send(serde_json::from_str(&line)?)?;
    }
    Ok(())
}

async fn write(mut events: UnboundedReceiver<Event>) -> Result<()> {
    let mut out = stdout();
    while let Some(event) = events.recv().await {
        let line = serde_json::to_string(&event)? + "\n";
        out.write_all(line.as_bytes()).await?;
        out.flush().await?;
    }
    Ok(())
}

/// Works until the orders end.
///
/// # Errors
/// Returns an error if the job cannot be begun or a task panicked.
pub async fn work(
    job: Job,
    mut orders: UnboundedReceiver<Order>,
    events: UnboundedSender<Event>,
) -> Result<()> {
    let (mut keeper, gate) = Gate::new();
    let tally = Tally::new(events.clone());
    let mut tasks = begin(&job, &gate, &tally)?;
    let count = u64::try_from(tasks.len())?;
    loop {
        tokio::select! {
            order = orders.recv() => match order {
                None => return Ok(()),
                Some(Order::Resume) => keeper.shut(false),
                Some(Order::Pause) => {
                    park(&mut keeper, count, &tally).await;
                    events.send(Event::Parked)?;
                }
            },
            () = tokio::time::sleep(TELL) => tally.tell(),
            Some(ended) = tasks.join_next() => ended.context("a task panicked")?,
        }
    }
}

async fn park(keeper: &mut Keeper, count: u64, tally: &Tally) {
    keeper.shut(true);
    keeper.parked(count).await;
    tally.tell();
}

fn begin(job: &Job, gate: &Gate, tally: &Tally) -> Result<JoinSet<()>> {
    let mut tasks = JoinSet::new();
    for place in &job.places {
        let is_asked = job.contests.contains(&Contest::Lock);
        for number in 0..if is_asked { job.tasks } else { 0 } {
            let dice = Dice::new(job.seed, &[job.worker, number]);
            let start = Start { kind: place.kind, dice, gate: gate.clone(), tally: tally.clone() };
            start.at(place, &mut tasks)?;
        }
        let together = Together { job, place, gate, tally };
        match place.kind {
            Kind::Postgres => {
                let target = Postgres::new(&place.url, place.proxy)?;
                together.share(target.clone(), &mut tasks)?;
                together.on(target, &mut tasks)?;
            }
            Kind::MariaDb | Kind::MySql => {
                together.on(MySql::new(&place.url, place.proxy)?, &mut tasks)?;
            }
            Kind::Mssql | Kind::Oracle => {}
        }
    }
    Ok(tasks)
}

/// What the tasks of one `Locks` start with.
struct Together<'a> {
    job: &'a Job,
    place: &'a Place,
    gate: &'a Gate,
    tally: &'a Tally,
}

impl Together<'_> {
    fn on<T: Ledger>(&self, target: T, tasks: &mut JoinSet<()>) -> Result<()> {
        let (locks, target) = (target.locks()?, Arc::new(target));
        let (of, roster) = (|| (Arc::clone(&target), locks.clone()), self.job.roster);
        let each = |(target, locks)| Mixed { target, locks };
        self.fight(|| each(of()), tasks);
        let each = |(target, locks)| Several { target, locks, roster };
        self.fight(|| each(of()), tasks);
        let each = |(target, locks)| Permits { target, locks, roster };
        self.fight(|| each(of()), tasks);
        let each = |(target, locks)| Fenced { target, locks, roster };
        self.fight(|| each(of()), tasks);
        for dice in self.dices(Contest::Lead) {
            let ((target, locks), kind) = (of(), self.place.kind);
            let (gate, tally) = (self.gate.clone(), self.tally.clone());
            tasks.spawn(Leader { target, locks, roster, kind, dice, gate, tally }.run());
        }
        Ok(())
    }

    fn share<T: Factory<Driver: SharedDriver>>(
        &self,
        target: T,
        tasks: &mut JoinSet<()>,
    ) -> Result<()> {
        let (locks, target, roster) = (target.locks()?, Arc::new(target), self.job.roster);
        let each = || Shared { target: Arc::clone(&target), locks: locks.clone(), roster };
        self.fight(each, tasks);
        Ok(())
    }

    fn fight<F: Fight>(&self, fight: impl Fn() -> F, tasks: &mut JoinSet<()>) {
        for dice in self.dices(F::CONTEST) {
            let (gate, tally) = (self.gate.clone(), self.tally.clone());
            let task = LocksTask::new(fight(), self.place.kind, dice, gate, tally);
            tasks.spawn(task.run());
        }
    }

    /// Each of the tasks of a contest has dice of its own.
    fn dices(&self, contest: Contest) -> impl Iterator<Item = Dice> {
        let Job { seed, worker, tasks, contests, .. } = self.job;
        let count = if contests.contains(&contest) { *tasks } else { 0 };
        (0..count).map(move |number| Dice::new(*seed, &[*worker, number, contest as u64]))
    }
}

/// What a task starts with.
struct Start {
    kind: Kind,
    dice: Dice,
    gate: Gate,
    tally: Tally,
}

impl Start {
    fn at(self, place: &Place, tasks: &mut JoinSet<()>) -> Result<()> {
        match place.kind {
            Kind::Postgres => self.on(Postgres::new(&place.url, place.proxy)?, tasks),
            Kind::MariaDb | Kind::MySql => self.on(MySql::new(&place.url, place.proxy)?, tasks),
            Kind::Mssql => self.on(Mssql::new(&place.url, place.proxy)?, tasks),
            Kind::Oracle => self.on(Oracle::new(&place.url)?, tasks),
        }
        Ok(())
    }

    fn on<T: Target>(self, target: T, tasks: &mut JoinSet<()>) {
        let task = crate::task::Task::new(self.kind, target, self.dice, self.gate, self.tally);
        tasks.spawn(task.run());
    }
}
