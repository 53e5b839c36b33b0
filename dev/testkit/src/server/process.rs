//! A running server process: its log, its readiness, its end.

use std::collections::{BTreeSet, VecDeque};
use std::io::{BufRead, BufReader};
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use std::{fs, thread};

use anyhow::{Context, Result, bail};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, WaitOptions, kill_process, pidfd_open, waitpid};

use super::keeper::Keeper;

const START_WITHIN: Duration = Duration::from_secs(60);
const STOP_WITHIN: Duration = Duration::from_secs(10);
const LONGEST_END: Timespec = Timespec { tv_sec: 10, tv_nsec: 0 };
const LOG_LINES: usize = 200;

type Log = Arc<Mutex<VecDeque<String>>>;

/// What is particular to a kind of server.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kind {
    /// The words in the log that say that connections are welcome.
    pub(super) ready: &'static str,
    /// The signal that asks it to end in order, so that it can be started again.
    pub(super) stop: Signal,
    /// The signal that ends it for good, and its name for a shell.
    pub(super) end: (Signal, &'static str),
}

/// A server process that is ended with this value, or with this program.
#[derive(Debug)]
pub(super) struct Process {
    child: Child,
    kind: Kind,
    log: Log,
    // Dropped last, once the process has been waited for.
    keeper: Option<Keeper>,
}

impl Process {
    /// Starts the server and returns once its log says that it is ready.
    pub(super) fn start(mut command: Command, kind: Kind, room: &Path) -> Result<Self> {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()
            .with_context(|| format!("starting {}", command.get_program().display()))?;
        let keeper = Keeper::start(child.id(), kind.end.1, room)?;
        let stderr = child.stderr.take().context("the server's log is piped")?;
        let log = Log::default();
        let ready = follow(stderr, kind.ready, Arc::clone(&log));
        let process = Self { child, kind, log, keeper: Some(keeper) };
        match ready.recv_timeout(START_WITHIN) {
            Ok(()) => Ok(process),
            Err(error) => bail!("{}\n{}", not_ready(error, &command), process.log()),
        }
    }

    /// The process id.
    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    /// The last lines that the server logged.
    pub(super) fn log(&self) -> String {
        let log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        log.iter().map(|line| format!("{line}\n")).collect()
    }

    /// Kills the server and its children with SIGKILL, as a power failure would. Returns when none of
    /// them is left, since PostgreSQL does not start beside one.
    pub(super) fn crash(mut self) {
        // It can have no more children then, and those it has are listed even when they have ended.
        let _ = self.freeze();
        let mut killed = BTreeSet::new();
        // A list that is read while one of them ends may leave another out: so look again.
        loop {
            let seen = children(self.id());
            let new: Vec<u32> = seen.into_iter().filter(|child| killed.insert(*child)).collect();
            if new.is_empty() {
                break;
            }
            kill(&new);
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Stops the server itself, and returns when it has stopped.
    fn freeze(&self) -> Result<()> {
        signal(self.id(), Signal::STOP)?;
        waitpid(Some(pid(self.id())?), WaitOptions::UNTRACED)?;
        Ok(())
    }

    /// Ends the server in order.
    pub(super) fn stop(mut self) {
        self.end(self.kind.stop);
    }

    fn end(&mut self, how: Signal) {
        if matches!(self.child.try_wait(), Ok(Some(_))) {
            return;
        }
        for child in children(self.id()) {
            let _ = signal(child, Signal::CONT);
        }
        let _ = signal(self.id(), Signal::CONT);
        let _ = signal(self.id(), how);
        if !self.ended_within(STOP_WITHIN) {
            let _ = self.child.kill();
        }
        let _ = self.child.wait();
    }

    fn ended_within(&mut self, limit: Duration) -> bool {
        let deadline = Instant::now() + limit;
        while Instant::now() < deadline {
            if matches!(self.child.try_wait(), Ok(Some(_))) {
                return true;
            }
            // std has no wait with a time limit.
            thread::sleep(Duration::from_millis(2));
        }
        false
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end(self.kind.end.0);
        drop(self.keeper.take());
    }
}

/// Sends a signal to a process.
pub(super) fn signal(id: u32, signal: Signal) -> Result<()> {
    kill_process(pid(id)?, signal).with_context(|| format!("signalling process {id}"))
}

fn pid(id: u32) -> Result<Pid> {
    i32::try_from(id).ok().and_then(Pid::from_raw).context("not a process id")
}

/// Kills processes, and waits for the end of each.
fn kill(ids: &[u32]) {
    let ends: Vec<_> = ids.iter().filter_map(|id| open(*id).ok()).collect();
    for id in ids {
        let _ = signal(*id, Signal::KILL);
    }
    for end in ends {
        let _ = poll(&mut [PollFd::new(&end, PollFlags::IN)], Some(&LONGEST_END));
    }
}

/// What can be read once the process has ended.
fn open(id: u32) -> Result<OwnedFd> {
    Ok(pidfd_open(pid(id)?, PidfdFlags::empty())?)
}

fn children(pid: u32) -> Vec<u32> {
    let list = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"));
    let list = list.unwrap_or_default();
    list.split_whitespace().filter_map(|id| id.parse().ok()).collect()
}

fn not_ready(error: RecvTimeoutError, command: &Command) -> String {
    let program = command.get_program().display();
    match error {
        RecvTimeoutError::Timeout => format!("{program} was not ready within {START_WITHIN:?}:"),
        RecvTimeoutError::Disconnected => format!("{program} ended while it was starting:"),
    }
}

/// Reads the log to its end on a thread; the receiver hears when `words` appear.
fn follow(stderr: ChildStderr, words: &'static str, log: Log) -> mpsc::Receiver<()> {
    let (ready, is_ready) = mpsc::channel();
    thread::spawn(move || {
        let mut ready: Option<Sender<()>> = Some(ready);
        let mut lines = BufReader::new(stderr).split(b'\n');
        while let Some(Ok(line)) = lines.next() {
            let line = String::from_utf8_lossy(&line).into_owned();
            if line.contains(words) {
                ready.take().map(|ready| ready.send(()));
            }
            keep(&log, line);
        }
    });
    is_ready
}

fn keep(log: &Log, line: String) {
    let mut log = log.lock().unwrap_or_else(PoisonError::into_inner);
    if log.len() == LOG_LINES {
        log.pop_front();
    }
    log.push_back(line);
}
