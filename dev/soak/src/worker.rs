//! A worker: the tasks of one process, which its supervisor pauses, counts and kills.

use crate::dice::Dice;
use crate::event::{Event, Job, Kind, Order, Place};
use crate::gate::{Gate, Keeper};
use crate::locks_task::LocksTask;
use crate::tally::Tally;
use crate::target::mssql::Mssql;
use crate::target::mysql::MySql;
use crate::target::oracle::Oracle;
use crate::target::postgres::Postgres;
use crate::target::{Factory, Target};
use anyhow::{Context, Result};
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
        for number in 0..job.tasks {
            let dice = Dice::new(job.seed, &[job.worker, number]);
            let start = Start { kind: place.kind, dice, gate: gate.clone(), tally: tally.clone() };
            start.at(place, &mut tasks)?;
        }
        let place_of = Together { job, kind: place.kind, gate, tally };
        match place.kind {
            Kind::Postgres => place_of.on(Postgres::new(&place.url, place.proxy)?, &mut tasks)?,
            Kind::MariaDb | Kind::MySql => {
                place_of.on(MySql::new(&place.url, place.proxy)?, &mut tasks)?;
            }
            Kind::Mssql | Kind::Oracle => {}
        }
    }
    Ok(tasks)
}

/// What the tasks of one `Locks` start with.
struct Together<'a> {
    job: &'a Job,
    kind: Kind,
    gate: &'a Gate,
    tally: &'a Tally,
}

impl Together<'_> {
    fn on<T: Factory>(self, target: T, tasks: &mut JoinSet<()>) -> Result<()> {
        let Self { job, kind, gate, tally } = self;
        let (locks, target) = (target.locks()?, Arc::new(target));
        for number in 0..job.tasks {
            let dice = Dice::new(job.seed, &[job.worker, number, 1]);
            let (target, locks) = (Arc::clone(&target), locks.clone());
            let task = LocksTask::new(kind, target, locks, dice, gate.clone(), tally.clone());
            tasks.spawn(task.run());
        }
        Ok(())
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
