//! The process between `dlock` and the command: it ends the command when `dlock` cannot.
//!
//! It has one thread and no runtime, and asks nobody for anything: it waits for the end of its children, for
//! the word of `dlock`, and for the deadline until which the lock is trusted. It goes when nothing of the
//! command's is left.

use crate::clock;
use crate::control::{Order, Report};
use crate::processes::{self, NoChild};
use crate::terms::{Leftovers, Terms};
use channel::Channel;
use rustix::process::{Pid, Signal, WaitStatus};
use std::ffi::OsString;
use std::process::ExitCode;
use std::time::Duration;

mod channel;
mod spawn;

/// How long before the end of trust the last of the command's is killed: a signal takes its time.
const RESERVE: Duration = Duration::from_millis(250);
/// How often the clock is looked at: timers stand still while the machine sleeps.
const LOOKS: Duration = Duration::from_millis(500);
/// How often what is left is killed.
const PASSES: Duration = Duration::from_millis(10);

/// What is done about the command.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Phase {
    Runs,
    /// It was asked to end at this time.
    Ends(Duration),
}

struct Guardian {
    channel: Channel,
    terms: Terms,
    command: Pid,
    group: Option<Pid>,
    trusted: Option<Duration>,
    phase: Phase,
}

/// Runs the guardian. Its arguments are written by `dlock` alone.
pub(crate) fn main(mut arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let terms = Terms::from_arguments(&mut arguments);
    let (Some(terms), Ok(channel)) = (terms, Channel::open()) else {
        crate::status::say("`guardian` is for dlock itself: use `dlock run`");
        return ExitCode::from(crate::status::USAGE);
    };
    processes::adopt_orphans();
    match spawn::launch(&terms, arguments) {
        Ok(command) => Guardian::new(channel, terms, command).guard(),
        Err(error) => {
            channel.report(Report::NotStarted(error.raw_os_error().unwrap_or_default()));
        }
    }
    ExitCode::SUCCESS
}

impl Guardian {
    fn new(channel: Channel, terms: Terms, command: Pid) -> Self {
        let group = terms.foreground.is_none().then_some(command);
        channel.report(Report::Started(command));
        Self { channel, terms, command, group, trusted: terms.trusted, phase: Phase::Runs }
    }

    fn guard(mut self) {
        while self.is_anything_left() {
            let now = clock::now();
            self.look_at_the_clock(now);
            for order in self.channel.wait(self.next_look(now)) {
                self.obey(order);
            }
        }
    }

    /// Waits for what has ended. `false`: nothing of the command's is left.
    fn is_anything_left(&mut self) -> bool {
        loop {
            match processes::next_end() {
                Ok(Some(end)) if end.pid == self.command => self.command_ended(end.status),
                Ok(Some(_)) => {}
                Ok(None) => return true,
                Err(NoChild) => return processes::is_group_left(self.group),
            }
        }
    }

    fn command_ended(&mut self, status: WaitStatus) {
        let exited = status.exit_status().map(Report::Exited);
        let killed = status.terminating_signal().map(Report::Killed);
        if let Some(report) = exited.or(killed) {
            self.channel.report(report);
        }
        if self.terms.leftovers == Leftovers::End {
            self.end();
        }
    }

    fn look_at_the_clock(&mut self, now: Duration) {
        let asked_by = self.trusted.map(|until| until.saturating_sub(self.terms.grace));
        if self.phase == Phase::Runs && asked_by.is_some_and(|by| by <= now) {
            self.channel.report(Report::OutOfTime);
            self.end();
        }
        if self.killed_by().is_some_and(|by| by <= now) {
            processes::signal_all(self.group, Signal::KILL);
        }
    }

    /// When what was asked to end is killed.
    fn killed_by(&self) -> Option<Duration> {
        let Phase::Ends(asked) = self.phase else { return None };
        let by = asked.saturating_add(self.terms.kill_after);
        Some(self.trusted.map_or(by, |until| by.min(until.saturating_sub(RESERVE))))
    }

    fn next_look(&self, now: Duration) -> Duration {
        let next = match self.phase {
            Phase::Runs => self.trusted.map(|until| until.saturating_sub(self.terms.grace)),
            Phase::Ends(_) => self.killed_by(),
        };
        next.map_or(LOOKS, |at| at.saturating_sub(now)).clamp(PASSES, LOOKS)
    }

    fn obey(&mut self, order: Order) {
        match order {
            Order::Trusted(until) => self.trusted = until,
            Order::Signal(number) => self.forward(number),
            Order::End => self.end(),
        }
    }

    fn forward(&mut self, number: i32) {
        if let Some(signal) = Signal::from_named_raw(number) {
            self.ask(signal);
        }
    }

    /// Asks all of it to end, once.
    fn end(&mut self) {
        if self.phase == Phase::Runs {
            self.ask(Signal::TERM);
        }
    }

    /// One that is stopped is let go on, so that it can answer.
    fn ask(&mut self, signal: Signal) {
        if self.phase == Phase::Runs {
            self.phase = Phase::Ends(clock::now());
        }
        processes::signal_all(self.group, signal);
        processes::signal_all(self.group, Signal::CONT);
    }
}
