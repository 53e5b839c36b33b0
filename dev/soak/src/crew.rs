//! One worker as its supervisor sees it.

use crate::event::{Event, Job, Order};
use crate::worker;
use anyhow::{Context, Result};
use rustix::process::{Pid, Signal, kill_process};
use std::env;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};

/// A running worker: a process, or, where a server lives in this process, tasks of it.
#[derive(Debug)]
pub struct Worker {
    child: Option<Child>,
    orders: UnboundedSender<Order>,
}

impl Worker {
    /// Starts this program again as a worker. What it tells goes to `events`.
    ///
    /// # Errors
    /// Returns an error if it cannot be started.
    pub fn process(job: &Job, events: UnboundedSender<(u64, Event)>) -> Result<Self> {
        let mut child = Command::new(env::current_exe()?)
            .args(["--worker", &serde_json::to_string(job)?])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .context("starting a worker")?;
        let (orders, inbox) = mpsc::unbounded_channel();
        tokio::spawn(order(inbox, child.stdin.take().context("piped")?));
        tokio::spawn(listen(job.worker, child.stdout.take().context("piped")?, events));
        Ok(Self { child: Some(child), orders })
    }

    /// Starts a worker inside this process.
    pub fn local(job: Job, events: UnboundedSender<(u64, Event)>) -> Self {
        let (orders, inbox) = mpsc::unbounded_channel();
        let (event, mut told) = mpsc::unbounded_channel();
        let number = job.worker;
        tokio::spawn(async move {
            while let Some(event) = told.recv().await {
                let _ = events.send((number, event));
            }
        });
        tokio::spawn(async move {
            if let Err(error) = worker::work(job, inbox, event.clone()).await {
                let _ = event.send(Event::Violation(format!("a worker ended: {error:#}")));
            }
        });
        Self { child: None, orders }
    }

    /// Tells it something.
    pub fn tell(&self, order: Order) {
        // One that has ended is noticed by its silence.
        let _ = self.orders.send(order);
    }

    /// Whether it is a process.
    #[must_use]
    pub fn is_process(&self) -> bool {
        self.child.is_some()
    }

    /// Stops it with SIGSTOP for so long.
    ///
    /// # Errors
    /// Returns an error if it had ended by itself.
    pub async fn halt(&self, time: Duration) -> Result<()> {
        let id = self.child.as_ref().and_then(Child::id).context("a worker ended by itself")?;
        let id = i32::try_from(id).ok().and_then(Pid::from_raw).context("a process id")?;
        kill_process(id, Signal::STOP)?;
        tokio::time::sleep(time).await;
        Ok(kill_process(id, Signal::CONT)?)
    }

    /// Ends it with SIGKILL.
    ///
    /// # Errors
    /// Returns an error if it had ended by itself.
    pub async fn kill(&mut self) -> Result<()> {
        match &mut self.child {
            Some(child) => child.kill().await.context("a worker ended by itself"),
            None => Ok(()),
        }
    }
}

async fn order(mut orders: UnboundedReceiver<Order>, mut input: ChildStdin) -> Result<()> {
    while let Some(order) = orders.recv().await {
        let line = serde_json::to_string(&order)? + "\n";
        input.write_all(line.as_bytes()).await?;
    }
    Ok(())
}

async fn listen(
    number: u64,
    output: ChildStdout,
    events: UnboundedSender<(u64, Event)>,
) -> Result<()> {
    let mut lines = BufReader::new(output).lines();
    while let Some(line) = lines.next_line().await? {
        // The last line of one that was killed may be cut short.
        if let Ok(event) = serde_json::from_str(&line) {
            events.send((number, event))?;
        }
    }
    Ok(())
}
