//! The supervisor: rounds of trouble, each with a muster at its end.

use crate::chaos::trouble;
use crate::contest::Contest;
use crate::crew::Worker;
use crate::dice::Dice;
use crate::event::{Counts, Event, Job, Kind, Order};
use crate::ground::Ground;
use crate::record::Record;
use crate::roster;
use crate::summary::Summary;
use anyhow::Result;
use futures::future::try_join_all;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::{self, UnboundedSender};
use tokio::time::{Instant, sleep, timeout};

/// How long trouble lasts between two musters.
const ROUND: Duration = Duration::from_secs(8);
/// Within how long every task has to stand still once the faults are over.
const REST: Duration = Duration::from_secs(30);

/// What to do.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What all random numbers start from.
    pub seed: u64,
    /// For how long.
    pub time: Duration,
    /// On which servers.
    pub kinds: Vec<Kind>,
    /// With how many processes.
    pub workers: usize,
    /// With how many tasks per process and server.
    pub tasks: u64,
    /// What is fought for.
    pub contests: Vec<Contest>,
}

/// A soak under way.
struct Supervisor {
    plan: Plan,
    dice: Dice,
    grounds: Arc<Vec<Ground>>,
    crew: Vec<(u64, Worker)>,
    hired: u64,
    roster: SocketAddr,
    events: UnboundedSender<(u64, Event)>,
    record: Record,
}

/// Soaks, and sums up.
///
/// # Errors
/// Returns an error if a server cannot be had or a fault cannot be made: then nothing is proved.
pub async fn soak(plan: Plan) -> Result<Summary> {
    let start = Instant::now();
    let mut supervisor = Supervisor::begin(plan).await?;
    while start.elapsed() < supervisor.plan.time {
        let left = supervisor.plan.time.saturating_sub(start.elapsed());
        supervisor.round(left.min(ROUND)).await?;
        supervisor.muster().await?;
        supervisor.progress(start.elapsed());
    }
    let Supervisor { plan, grounds, crew, record, .. } = supervisor;
    drop(crew);
    Ok(Summary::new(&plan, start.elapsed(), &grounds, record.so_far()))
}

impl Supervisor {
    async fn begin(plan: Plan) -> Result<Self> {
        let workers = plan.workers;
        let mut grounds = Vec::new();
        for kind in &plan.kinds {
            let ground = Ground::new(*kind, workers).await?;
            ground.observer.prepare().await?;
            ground.observer.open_ledger().await?;
            grounds.push(ground);
        }
        let (events, told) = mpsc::unbounded_channel();
        let (dice, record) = (Dice::new(plan.seed, &[0]), Record::of(told));
        let (crew, grounds) = (Vec::new(), Arc::new(grounds));
        let roster = roster::serve(record.clone()).await?;
        let mut supervisor = Self { plan, dice, grounds, crew, hired: 0, roster, events, record };
        supervisor.hire_all()?;
        Ok(supervisor)
    }

    fn hire_all(&mut self) -> Result<()> {
        if self.grounds.iter().any(|ground| !ground.is_local()) {
            for place in 0..self.plan.workers {
                let worker = self.hire(place)?;
                self.crew.push(worker);
            }
        }
        if self.grounds.iter().any(Ground::is_local) {
            // As many tasks in one process as elsewhere in several.
            let mut job = self.job(0, true);
            job.tasks *= u64::try_from(self.plan.workers)?;
            self.crew.push((job.worker, Worker::local(job, self.events.clone())));
        }
        Ok(())
    }

    fn hire(&mut self, place: usize) -> Result<(u64, Worker)> {
        let job = self.job(place, false);
        Ok((job.worker, Worker::process(&job, self.events.clone())?))
    }

    fn job(&mut self, place: usize, local: bool) -> Job {
        self.hired += 1;
        let grounds = self.grounds.iter().filter(|ground| ground.is_local() == local);
        let places = grounds.map(|ground| ground.place(place)).collect();
        let Plan { seed, tasks, contests, .. } = self.plan.clone();
        Job { seed, worker: self.hired, tasks, places, contests, roster: self.roster }
    }

    /// Trouble everywhere at once.
    async fn round(&mut self, time: Duration) -> Result<()> {
        let end = Instant::now() + time;
        self.record.resumed();
        self.crew.iter().for_each(|(_, worker)| worker.tell(Order::Resume));
        let grounds = Arc::clone(&self.grounds);
        let all = grounds.iter().map(|ground| {
            let mut dice = Dice::new(self.dice.below(u64::MAX), &[]);
            async move { trouble(ground, &mut dice, end).await }
        });
        let all = try_join_all(all.collect::<Vec<_>>());
        let (faults, killed) = tokio::join!(all, self.kill_workers(end));
        faults?.into_iter().for_each(|counts| self.record.add(counts));
        killed
    }

    /// Clients die too.
    async fn kill_workers(&mut self, end: Instant) -> Result<()> {
        loop {
            sleep(self.dice.millis(800, 4_000)).await;
            if Instant::now() > end {
                return Ok(());
            }
            let victim = self.dice.below(u64::try_from(self.crew.len())?);
            let victim = usize::try_from(victim)?;
            if !self.crew[victim].1.is_process() {
                continue;
            }
            if self.dice.below(3) == 0 {
                self.crew[victim].1.halt(self.dice.millis(500, 4_500)).await?;
                self.record.add(Counts::from([("clients stopped with SIGSTOP".to_owned(), 1)]));
                continue;
            }
            self.crew[victim].1.kill().await?;
            self.crew[victim] = self.hire(victim)?;
            let killed = ("clients killed with SIGKILL".to_owned(), 1);
            self.record.add(Counts::from([killed]));
        }
    }

    /// Everybody lets go and stands still, sessions open: nothing may be held or awaited.
    async fn muster(&mut self) -> Result<()> {
        self.crew.iter().for_each(|(_, worker)| worker.tell(Order::Pause));
        let workers: BTreeSet<u64> = self.crew.iter().map(|(number, _)| *number).collect();
        if timeout(REST, self.record.parked(&workers)).await.is_err() {
            let what = format!("hang: not all tasks of workers {workers:?} stand still after 30 s");
            self.record.violation(what);
        }
        for ground in self.grounds.iter() {
            self.empty(ground).await?;
            for wrong in ground.observer.ledger().await? {
                self.record.violation(format!("{}: {wrong}", ground.kind));
            }
        }
        Ok(())
    }

    async fn empty(&self, ground: &Ground) -> Result<()> {
        let start = Instant::now();
        loop {
            let seen = ground.seen().await?;
            if seen.is_empty() {
                let what = format!("{}: musters with nothing left", ground.kind);
                self.record.add(Counts::from([(what, 1)]));
                return Ok(());
            }
            if start.elapsed() > ground.observer.forgets() {
                let left = format!("{}: left behind: {seen:?}", ground.kind);
                self.record.violation(left);
                return Ok(());
            }
            sleep(Duration::from_millis(20)).await;
        }
    }

    fn progress(&self, elapsed: Duration) {
        let told = self.record.so_far();
        let sum = |what| -> u64 {
            let of = told.counts.iter().filter(|(name, _)| name.ends_with(what));
            of.map(|(_, count)| count).sum()
        };
        println!(
            "{:>5} s  {:>8} critical sections  {:>7} waits dropped  {:>5} sessions killed  \
             {:>4} clients killed  {} violations",
            elapsed.as_secs(),
            sum("critical sections"),
            sum("waits dropped"),
            sum("sessions killed by an administrator"),
            sum("clients killed with SIGKILL"),
            told.violations.len(),
        );
    }
}
