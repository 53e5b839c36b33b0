use super::{Claim, Report};
use anyhow::{Context, Result};
use dlock_locks::LostReason;
use dlock_testkit::locks::Client;
use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tokio::time::sleep;

/// Why a lock is lost, as far as its holder knows.
pub type Belief<'a> = &'a (dyn Fn() -> Option<LostReason> + Sync);

/// One who comes in and leaves, one stay after the other.
#[derive(Debug)]
pub struct Member {
    reports: UnboundedSender<Report>,
    words: UnboundedReceiver<u64>,
    stays: u64,
}

impl Member {
    /// A member of the roster that is served there.
    ///
    /// # Errors
    /// Returns an error if nobody serves.
    pub async fn connect(roster: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(roster).await.context("connecting to the roster")?;
        stream.set_nodelay(true)?;
        let (input, output) = stream.into_split();
        let (reports, outgoing) = mpsc::unbounded_channel();
        let (word, words) = mpsc::unbounded_channel();
        tokio::spawn(write(outgoing, output));
        tokio::spawn(read(input, word));
        Ok(Self { reports, words, stays: 0 })
    }

    /// Comes in, works until the work is done or the lock lost, and leaves. `None`: it was lost.
    ///
    /// Dropped, it is out.
    ///
    /// # Errors
    /// Returns an error if the roster is gone.
    pub async fn stay<F: Future>(
        &mut self,
        claims: Vec<Claim>,
        token: Option<u64>,
        belief: Belief<'_>,
        work: F,
    ) -> Result<Option<F::Output>> {
        let granted = Client::now();
        self.stays += 1;
        let (reports, stay) = (self.reports.clone(), self.stays);
        let mut inside = Inside { reports, stay, belief, believed: None, is_over: false };
        self.reports.send(Report::Enter { stay, claims, granted, token })?;
        if !self.may_go(stay, belief).await? {
            return Ok(None);
        }
        let Some(done) = inside.work(work).await else { return Ok(None) };
        self.reports.send(Report::Leave(stay))?;
        inside.is_over = self.may_go(stay, belief).await?;
        Ok(inside.is_over.then_some(done))
    }

    /// Waits for the word; `false`: the lock is lost.
    async fn may_go(&mut self, stay: u64, belief: Belief<'_>) -> Result<bool> {
        loop {
            tokio::select! {
                word = self.words.recv() => {
                    if word.context("the roster is gone")? == stay {
                        return Ok(true);
                    }
                }
                () = sleep(Duration::from_millis(5)) => {
                    if belief().is_some() {
                        return Ok(false);
                    }
                }
            }
        }
    }
}

/// Being inside; dropped before it is over, it says so.
struct Inside<'a> {
    reports: UnboundedSender<Report>,
    stay: u64,
    belief: Belief<'a>,
    believed: Option<Duration>,
    is_over: bool,
}

impl Inside<'_> {
    async fn work<F: Future>(&mut self, work: F) -> Option<F::Output> {
        tokio::select! {
            biased;
            () = self.until_lost() => None,
            done = work => Some(done),
        }
    }

    /// The clock is read before the loss is looked at: a process may stand still between the two.
    async fn until_lost(&mut self) {
        loop {
            let now = Client::now();
            if (self.belief)().is_some() {
                return;
            }
            self.believed = Some(now);
            sleep(Duration::from_millis(1)).await;
        }
    }
}

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        if self.is_over {
            return;
        }
        let is_silent = (self.belief)() == Some(LostReason::Silent);
        // The roster is gone at the end of a run.
        let _ = self.reports.send(Report::Out(self.stay, self.believed.filter(|_| is_silent)));
    }
}

impl fmt::Debug for Inside<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inside").field("stay", &self.stay).finish_non_exhaustive()
    }
}

async fn write(mut reports: UnboundedReceiver<Report>, mut output: OwnedWriteHalf) -> Result<()> {
    while let Some(report) = reports.recv().await {
        let line = serde_json::to_string(&report)? + "\n";
        output.write_all(line.as_bytes()).await?;
    }
    Ok(())
}

async fn read(input: OwnedReadHalf, words: UnboundedSender<u64>) -> Result<()> {
    let mut lines = BufReader::new(input).lines();
    while let Some(line) = lines.next_line().await? {
        words.send(line.parse()?)?;
    }
    Ok(())
}
