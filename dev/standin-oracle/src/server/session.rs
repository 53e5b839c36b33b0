//! One session of a database, as the server keeps it and as the client holds it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::call::Call;
use super::database::Database;
use crate::fault::Fault;
use crate::resource::SessionId;

/// What becomes of a break that the client sends.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum BreakMode {
    /// It ends the running statement at once.
    #[default]
    Prompt,
    /// It is seen only once the statement has done its work: the error hides a success.
    Late,
    /// It misses the running call and ends the next one.
    Stray,
    /// It never arrives.
    Ignored,
}

impl BreakMode {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        match text {
            "prompt" => Some(Self::Prompt),
            "late" => Some(Self::Late),
            "stray" => Some(Self::Stray),
            "ignored" => Some(Self::Ignored),
            _ => None,
        }
    }
}

/// Whether a session lives, and what its client is told when it does not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Fate {
    #[default]
    Alive,
    /// Ended by an administrator: ORA-00028.
    Killed,
    /// The connection is gone, and the client has not noticed: ORA-03113.
    Cut,
    /// The client knows: ORA-03114.
    Gone,
}

/// A session as the server keeps it.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) serial: u32,
    pub(crate) user: String,
    /// What it calls itself.
    pub(crate) module: String,
    pub(crate) fate: Fate,
    pub(crate) break_mode: BreakMode,
    /// A break has arrived and nothing has ended by it yet.
    pub(crate) broken: bool,
    /// When the running call is to be given up, by the client's call time-out.
    pub(crate) deadline: Option<Instant>,
    /// A call is under way.
    pub(crate) busy: bool,
    /// How many calls there have been.
    pub(crate) calls: u32,
}

impl Session {
    pub(crate) fn new(serial: u32, user: &str) -> Self {
        Self {
            serial,
            user: user.to_owned(),
            module: String::new(),
            fate: Fate::default(),
            break_mode: BreakMode::default(),
            broken: false,
            deadline: None,
            busy: false,
            calls: 0,
        }
    }

    /// The error that ends the running call here and now, if any does.
    pub(crate) fn interruption(&mut self) -> Option<Fault> {
        let fault = match self.fate {
            Fate::Killed => Some(Fault::killed()),
            Fate::Cut => Some(Fault::end_of_file()),
            Fate::Gone => Some(Fault::not_connected()),
            Fate::Alive => None,
        };
        if fault.is_none() && self.break_mode == BreakMode::Prompt {
            return self.take_break();
        }
        if self.fate != Fate::Alive {
            self.fate = Fate::Gone;
        }
        fault
    }

    /// The error of a break that is seen only now that the work is done.
    pub(crate) fn take_late_break(&mut self) -> Option<Fault> {
        (self.break_mode == BreakMode::Late).then(|| self.take_break()).flatten()
    }

    /// The error of a break that missed the call it was meant for.
    pub(crate) fn take_stray_break(&mut self) -> Option<Fault> {
        (self.break_mode == BreakMode::Stray).then(|| self.take_break()).flatten()
    }

    pub(crate) fn take_break(&mut self) -> Option<Fault> {
        std::mem::take(&mut self.broken).then(Fault::cancelled)
    }
}

/// The client's end of a session: one call at a time.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) database: Arc<Database>,
    pub(crate) id: SessionId,
    turn: Mutex<()>,
    call_timeout: Mutex<Duration>,
}

impl Connection {
    pub(crate) fn open(database: &Arc<Database>, user: &str) -> Self {
        Self {
            id: database.log_on(user),
            database: Arc::clone(database),
            turn: Mutex::default(),
            call_timeout: Mutex::default(),
        }
    }

    /// Runs one call once the calls before it are through.
    pub(crate) fn call<T>(&self, work: impl FnOnce(&Call) -> Result<T, Fault>) -> Result<T, Fault> {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let call = Call::begin(&self.database, self.id, self.call_timeout())?;
        let result = work(&call);
        call.end(result)
    }

    /// Ends the session, unless a break ends this call. One that is over already says so.
    pub(crate) fn log_off(&self) -> Result<(), Fault> {
        let answer = self.call(|_| Ok(()));
        if !matches!(&answer, Err(fault) if *fault == Fault::cancelled()) {
            self.database.log_off(self.id);
        }
        answer
    }

    pub(crate) fn call_timeout(&self) -> Duration {
        *self.call_timeout.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Zero means none.
    pub(crate) fn set_call_timeout(&self, timeout: Duration) {
        *self.call_timeout.lock().unwrap_or_else(PoisonError::into_inner) = timeout;
    }

    /// `OCIBreak`: never waits for the running call.
    pub(crate) fn send_break(&self) {
        self.database.send_break(self.id);
    }

    pub(crate) fn is_connected(&self) -> bool {
        self.database.is_alive(self.id)
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.database.log_off(self.id);
    }
}
