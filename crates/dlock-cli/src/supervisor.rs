//! What `dlock` does while the command runs: it tells the guardian until when the lock is trusted.

use crate::control::{LENGTH, Order, Report};
use crate::locks::Held;
use crate::processes::{self, NoChild, Others};
use crate::signals::Heeded;
use crate::sockets::MOST;
use crate::status::Failure;
use crate::terms::Terms;
use crate::{clock, url};
use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};
use rustix::process::{Pid, Signal, WaitStatus};
use std::ffi::OsString;
use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

/// How often it is looked whether the lock is trusted for longer than the guardian knows.
const LOOKS: Duration = Duration::from_millis(100);
/// Less is the same: two clocks are read one after the other.
const NOISE: Duration = Duration::from_millis(5);
/// How often what was left by a killed guardian is killed.
const PASSES: Duration = Duration::from_millis(10);
/// How long what a guardian has said may be under way.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// A command to be guarded.
pub(crate) struct Job<'a> {
    pub(crate) key: &'a str,
    pub(crate) token: Option<u64>,
    pub(crate) command: &'a [OsString],
    pub(crate) terms: Terms,
    /// The connections to the server, for the guardian to keep open.
    pub(crate) kept: Vec<OwnedFd>,
}

/// How a command has ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Ending {
    Exited(i32),
    Killed(i32),
}

/// What has come of a command.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Outcome {
    /// `None` where its guardian was killed, and it with its guardian.
    pub(crate) ending: Option<Ending>,
    /// Why it was ended, where that is the lock's end.
    pub(crate) lost: Option<String>,
}

/// How a guardian has ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum End {
    /// Nothing of the command's is left.
    Clean,
    /// Nobody knows.
    Broken,
}

impl End {
    fn of(status: WaitStatus) -> Self {
        if status.exit_status() == Some(0) { End::Clean } else { End::Broken }
    }
}

/// A guardian that runs.
pub(crate) struct Supervisor {
    guardian: Pid,
    group: Option<Pid>,
    foreground: bool,
    orders: OwnedWriteHalf,
    reports: UnboundedReceiver<Report>,
    told: Option<Duration>,
    others: Others,
    outcome: Outcome,
    not_started: Option<i32>,
}

impl Supervisor {
    /// Starts the guardian, which starts the command.
    pub(crate) fn start(job: &Job<'_>) -> Result<Self, Failure> {
        let others = Others::now();
        processes::adopt_orphans();
        let started = spawn(job).map_err(|error| Failure::system("starting a process", &error))?;
        let (guardian, sockets) = started;
        let (reading, orders) = sockets.into_split();
        Ok(Self {
            guardian,
            group: None,
            foreground: job.terms.foreground.is_some(),
            orders,
            reports: read(reading),
            told: job.terms.trusted,
            others,
            outcome: Outcome { ending: None, lost: None },
            not_started: None,
        })
    }

    /// Stays until nothing of the command's is left.
    pub(crate) async fn supervise(
        mut self,
        held: &Held,
        signals: &mut Heeded,
    ) -> Result<Outcome, Failure> {
        let failed = |error| Failure::system("waiting for signals", &error);
        let mut children = signal(SignalKind::child()).map_err(failed)?;
        let mut looks = interval(LOOKS);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let end = loop {
            if let Some(end) = self.guardian_end() {
                break end;
            }
            let is_lost = self.outcome.lost.is_some();
            tokio::select! {
                _ = children.recv() => {}
                Some(report) = self.reports.recv() => self.heard(report),
                number = signals.next() => self.forward(number).await,
                lost = held.lost(), if !is_lost => self.lost(lost.to_string()).await,
                _ = looks.tick() => self.tell(held).await,
            }
        };
        self.finish(end).await;
        self.conclude()
    }

    /// Waits for what has ended: as the first process of a container it is everybody's heir.
    fn guardian_end(&self) -> Option<End> {
        loop {
            match processes::next_end() {
                Ok(Some(end)) if end.pid == self.guardian => return Some(End::of(end.status)),
                Ok(Some(_)) => {}
                Ok(None) => return None,
                Err(NoChild) => return Some(End::Broken),
            }
        }
    }

    fn heard(&mut self, report: Report) {
        match report {
            Report::Started(group) => self.group = Some(group).filter(|_| !self.foreground),
            Report::NotStarted(error) => self.not_started = Some(error),
            Report::Exited(status) => self.outcome.ending = Some(Ending::Exited(status)),
            Report::Killed(signal) => self.outcome.ending = Some(Ending::Killed(signal)),
            Report::OutOfTime => {
                let reason = "the server was silent for so long that the command was ended before the lock could be somebody else's";
                self.outcome.lost.get_or_insert_with(|| reason.to_owned());
            }
        }
    }

    /// In the foreground the terminal tells the command itself what the keyboard sends.
    async fn forward(&mut self, number: i32) {
        let by_keyboard = [Signal::INT.as_raw(), Signal::QUIT.as_raw()].contains(&number);
        if !(self.foreground && by_keyboard) {
            self.order(Order::Signal(number)).await;
        }
    }

    async fn lost(&mut self, reason: String) {
        self.outcome.lost = Some(reason);
        self.order(Order::End).await;
    }

    async fn tell(&mut self, held: &Held) {
        let now = clock::now();
        let until = held.trusted_for().map(|left| now + left);
        let is_known = until.zip(self.told).is_some_and(|(new, old)| new.abs_diff(old) < NOISE);
        if until.is_some() && !is_known {
            self.told = until;
            self.order(Order::Trusted(until)).await;
        }
    }

    /// A guardian that has gone is seen by its end.
    async fn order(&mut self, order: Order) {
        let _ = self.orders.write_all(&order.to_bytes()).await;
    }

    /// Hears what the guardian has said last, and ends what it left, which is this process's now.
    async fn finish(&mut self, end: End) {
        while let Ok(Some(report)) = timeout(LAST_WORDS, self.reports.recv()).await {
            self.heard(report);
        }
        while end == End::Broken && self.others.kill_new(self.group) {
            sleep(PASSES).await;
        }
    }

    fn conclude(self) -> Result<Outcome, Failure> {
        match self.not_started {
            Some(error) => {
                let error = io::Error::from_raw_os_error(error);
                Err(Failure::system("starting a process", &error))
            }
            None => Ok(self.outcome),
        }
    }
}

fn spawn(job: &Job<'_>) -> io::Result<(Pid, tokio::net::UnixStream)> {
    let (ours, theirs) = UnixStream::pair()?;
    let kept = job.kept.iter().map(AsFd::as_fd);
    let stdin = io::stdin();
    send(&ours, &Vec::from_iter(std::iter::once(stdin.as_fd()).chain(kept)))?;
    ours.set_nonblocking(true)?;
    let mut guardian = Command::new(crate::program());
    guardian.arg0("dlock").args(job.terms.to_arguments()).args(job.command);
    guardian.env_remove(url::OWN).env("DLOCK_KEY", job.key).env_remove("DLOCK_TOKEN");
    if let Some(token) = job.token {
        guardian.env("DLOCK_TOKEN", token.to_string());
    }
    // What the keyboard sends is not for it.
    guardian.process_group(0).stdin(Stdio::from(OwnedFd::from(theirs)));
    let child = guardian.spawn()?;
    let pid = Pid::from_raw(child.id().cast_signed());
    let pid = pid.ok_or_else(|| io::Error::from(io::ErrorKind::Other))?;
    Ok((pid, tokio::net::UnixStream::from_std(ours)?))
}

/// Sends descriptors: first what the command is to read.
fn send(to: &UnixStream, descriptors: &[BorrowedFd<'_>]) -> io::Result<()> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST + 1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    control.push(SendAncillaryMessage::ScmRights(descriptors));
    sendmsg(to, &[IoSlice::new(&[0])], &mut control, SendFlags::empty())?;
    Ok(())
}

/// Reads what the guardian tells, until it is gone.
fn read(mut from: OwnedReadHalf) -> UnboundedReceiver<Report> {
    let (sender, reports) = unbounded_channel();
    tokio::spawn(async move {
        let mut bytes = [0; LENGTH];
        while from.read_exact(&mut bytes).await.is_ok() {
            let Some(report) = Report::from_bytes(bytes) else { return };
            // Who has gone wants no report.
            let _ = sender.send(report);
        }
    });
    reports
}
