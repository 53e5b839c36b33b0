//! A subject of this process.

use std::time::{Duration, Instant};

use anyhow::{Context, Error, Result, bail, ensure};
use cpu_time::ProcessTime;
use futures::FutureExt;
use futures::future::{BoxFuture, try_join_all};
use tokio::task::JoinHandle;

use super::{Connecting, Lap, Subject};
use crate::allocated;
use crate::eye::Eye;
use crate::locker::Locker;
use crate::place::Place;
use crate::source::Source;

/// The key of a subject's first connection; the others count on from here.
const KEY: u32 = 4_242_000;

/// After so many pairs a connection is in use.
const IN_USE: u32 = 10;

/// How many wait at once while memory is counted.
const WAITERS: i64 = 50;

async fn open<L: Locker>(source: &L::Source, connections: u32) -> Result<Vec<Option<L>>> {
    let opened = (KEY..KEY + connections).map(|key| L::connect(source, key));
    Ok(try_join_all(opened).await?.into_iter().map(Some).collect())
}

async fn once<L: Locker>(mut waiter: L) -> Result<()> {
    waiter.acquire().await?;
    waiter.release().await
}

async fn hand_over<L: Locker>(
    holder: &mut L,
    mut waiter: L,
    eye: &mut Eye,
) -> Result<(Duration, L)> {
    holder.acquire().await?;
    let waiting = tokio::spawn(async move {
        waiter.acquire().await?;
        let got = Instant::now();
        waiter.release().await?;
        Ok::<_, Error>((got, waiter))
    });
    eye.until(1).await?;
    let released = Instant::now();
    holder.release().await?;
    let (got, waiter) = waiting.await??;
    Ok((got.saturating_duration_since(released), waiter))
}

/// Connections of one kind.
pub(super) struct Native<L: Locker> {
    place: Place,
    source: L::Source,
    lockers: Vec<Option<L>>,
}

impl<L: Locker> Native<L> {
    /// Opens so many connections, each with a key of its own.
    pub(super) fn connect(place: Place, connections: u32) -> Connecting {
        async move {
            let source = L::Source::open(place).await?;
            let lockers = open(&source, connections).await?;
            Ok(Box::new(Self { place, source, lockers }) as Box<dyn Subject>)
        }
        .boxed()
    }

    fn first(&mut self) -> Result<&mut L> {
        self.lockers.first_mut().and_then(Option::as_mut).context("a connection")
    }

    /// Sends every connection into a task of its own; they come back when they are done.
    async fn run(&mut self, count: u32) -> Result<()> {
        let mut tasks: Vec<JoinHandle<Result<L>>> = Vec::new();
        for slot in &mut self.lockers {
            let mut locker = slot.take().context("a connection")?;
            tasks.push(tokio::spawn(async move { locker.pairs(count).await.map(|()| locker) }));
        }
        for (slot, task) in self.lockers.iter_mut().zip(tasks) {
            *slot = Some(task.await??);
        }
        Ok(())
    }
}

impl<L: Locker> Subject for Native<L> {
    fn renew(&mut self) -> BoxFuture<'_, Result<()>> {
        async move {
            if L::Source::IS_POOL {
                return Ok(());
            }
            let connections = u32::try_from(self.lockers.len())?;
            self.lockers.clear();
            self.lockers = open(&self.source, connections).await?;
            // What a connection does in its first uses only is no part of a turn.
            self.run(IN_USE).await
        }
        .boxed()
    }

    fn pairs(&mut self, count: u32) -> BoxFuture<'_, Result<Lap>> {
        async move {
            let (start, cpu) = (Instant::now(), ProcessTime::now());
            self.run(count).await?;
            Ok(Lap { wall: start.elapsed(), cpu: cpu.elapsed() })
        }
        .boxed()
    }

    fn hand_overs<'a>(&'a mut self, eye: &'a mut Eye) -> BoxFuture<'a, Result<[Duration; 2]>> {
        async move {
            let waiter = L::connect(&self.source, KEY).await?;
            let holder = self.first()?;
            let (first, mut waiter) = hand_over(holder, waiter, eye).await?;
            // What a connection's first statements have both sides allocate is no part of a hand-over.
            waiter.pairs(IN_USE).await?;
            let (again, _) = hand_over(holder, waiter, eye).await?;
            Ok([first, again])
        }
        .boxed()
    }

    fn time_out(&mut self, limit: Duration) -> BoxFuture<'_, Result<Option<Duration>>> {
        async move {
            let mut waiter = L::connect(&self.source, KEY).await?;
            let holder = self.first()?;
            holder.acquire().await?;
            let start = Instant::now();
            let answer = waiter.acquire_within(limit).await?;
            let took = start.elapsed();
            ensure!(answer != Some(true), "it acquired a lock that is held");
            holder.release().await?;
            Ok(answer.map(|_| took))
        }
        .boxed()
    }

    fn memory<'a>(&'a mut self, eye: &'a mut Eye) -> BoxFuture<'a, Result<Option<i64>>> {
        async move {
            let mut waiters = Vec::new();
            for _ in 0..WAITERS {
                let mut waiter = L::connect(&self.source, KEY).await?;
                // What a first use allocates once is not counted.
                waiter.pairs(1).await?;
                waiters.push(waiter);
            }
            self.first()?.acquire().await?;
            let idle = allocated();
            let tasks: Vec<_> =
                waiters.drain(..).map(|waiter| tokio::spawn(once(waiter))).collect();
            eye.until(WAITERS).await?;
            let waiting = (allocated() - idle) / WAITERS;
            self.first()?.release().await?;
            try_join_all(tasks).await?.into_iter().collect::<Result<Vec<()>>>()?;
            Ok(Some(waiting))
        }
        .boxed()
    }

    fn acquire(&mut self) -> BoxFuture<'_, Result<()>> {
        async move { self.first()?.acquire().await }.boxed()
    }

    fn release(&mut self) -> BoxFuture<'_, Result<()>> {
        async move { self.first()?.release().await }.boxed()
    }

    fn dropped<'a>(
        &'a mut self,
        eye: &'a mut Eye,
        limit: Duration,
    ) -> BoxFuture<'a, Result<Option<Duration>>> {
        async move {
            // Of its own, so that a pool does not keep what the waiter leaves behind.
            let source = L::Source::open(self.place).await?;
            let mut waiter = L::connect(&source, KEY).await?;
            let holder = self.first()?;
            holder.acquire().await?;
            let _ = tokio::select! {
                biased;
                answer = waiter.acquire() => bail!("a held lock let another in: {answer:?}"),
                queued = eye.until(1) => queued?,
            };
            let forgotten = eye.within(0, limit).await;
            holder.release().await?;
            drop((waiter, source));
            // Whoever waits still gets the lock now, and gives it up with its connection.
            eye.until(0).await?;
            forgotten
        }
        .boxed()
    }
}
