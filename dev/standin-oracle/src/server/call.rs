//! One call of a session: what it may wait for, and what can cut it short.

use std::sync::MutexGuard;
use std::time::{Duration, Instant};

use super::database::{Database, State};
use super::session::{BreakMode, Fate, Session};
use crate::fault::Fault;
use crate::resource::SessionId;

/// A call that is under way.
#[derive(Debug)]
pub(crate) struct Call<'a> {
    pub(crate) database: &'a Database,
    pub(crate) session: SessionId,
}

impl<'a> Call<'a> {
    /// Starts a call, once the server answers at all.
    pub(crate) fn begin(
        database: &'a Database,
        session: SessionId,
        timeout: Duration,
    ) -> Result<Self, Fault> {
        let call = Self { database, session };
        call.open(timeout);
        let started = call.thaw().and_then(|()| call.check()).and_then(|()| call.astray());
        match started {
            Ok(()) => Ok(call),
            Err(fault) => call.end(Err(fault)),
        }
    }

    fn astray(&self) -> Result<(), Fault> {
        let mut state = self.database.state();
        let session = state.sessions.get_mut(&self.session);
        session.and_then(Session::take_stray_break).map_or(Ok(()), Err)
    }

    fn open(&self, timeout: Duration) {
        let mut state = self.database.state();
        if let Some(session) = state.sessions.get_mut(&self.session) {
            session.deadline = (!timeout.is_zero()).then(|| Instant::now() + timeout);
            session.busy = true;
            session.calls += 1;
        }
    }

    /// Ends the call: a break that came late takes the answer away.
    pub(crate) fn end<T>(self, result: Result<T, Fault>) -> Result<T, Fault> {
        let answered = self.thaw();
        let mut state = self.database.state();
        let session = state.sessions.get_mut(&self.session);
        let session = session.ok_or_else(Fault::not_connected)?;
        session.deadline = None;
        session.busy = false;
        let answer = result?;
        answered?;
        session.take_late_break().map_or(Ok(answer), Err)
    }

    /// An error when the call is to end here.
    pub(crate) fn check(&self) -> Result<(), Fault> {
        self.interrupted(&mut self.database.state()).map_or(Ok(()), Err)
    }

    /// Waits until `poll` has an answer, or until `deadline`: then `None`.
    pub(crate) fn wait<T>(
        &self,
        deadline: Option<Instant>,
        mut poll: impl FnMut(&mut State) -> Option<T>,
    ) -> Result<Option<T>, Fault> {
        let mut state = self.database.state();
        loop {
            if !state.is_frozen(self.session) {
                if let Some(answer) = poll(&mut state) {
                    return Ok(Some(answer));
                }
                if deadline.is_some_and(|deadline| deadline <= Instant::now()) {
                    return Ok(None);
                }
            }
            if let Some(fault) = self.interrupted(&mut state) {
                return Err(fault);
            }
            let frozen = state.is_frozen(self.session);
            let wake = self.wake(&state, deadline.filter(|_| !frozen));
            state = self.database.sleep(state, wake);
        }
    }

    /// Sleeps inside the server.
    pub(crate) fn sleep(&self, duration: Duration) -> Result<(), Fault> {
        let slept = self.wait::<()>(Some(Instant::now() + duration), |_| None);
        slept.map(|_| ())
    }

    /// Makes the server answer nobody but this session, or everybody again.
    pub(crate) fn freeze(&self, frozen: bool) {
        self.database.change(|state| state.frozen_by = frozen.then_some(self.session));
    }

    fn thaw(&self) -> Result<(), Fault> {
        let thawed = self.wait(None, |_| Some(()));
        thawed.map(|_| ())
    }

    fn wake(&self, state: &MutexGuard<'_, State>, deadline: Option<Instant>) -> Option<Instant> {
        let session = state.sessions.get(&self.session);
        let timeout = session.and_then(|session| session.deadline);
        [deadline, timeout].into_iter().flatten().min()
    }

    fn interrupted(&self, state: &mut MutexGuard<'_, State>) -> Option<Fault> {
        let frozen = state.is_frozen(self.session);
        let Some(session) = state.sessions.get_mut(&self.session) else {
            return Some(Fault::not_connected());
        };
        if session.deadline.is_some_and(|deadline| deadline <= Instant::now()) {
            return Some(self.time_out(state));
        }
        if frozen && session.fate == Fate::Alive {
            return None;
        }
        session.interruption()
    }

    /// The client's call time-out: a break, and the end of the connection if the server does not hear it.
    fn time_out(&self, state: &mut MutexGuard<'_, State>) -> Fault {
        let frozen = state.is_frozen(self.session);
        let Some(session) = state.sessions.get_mut(&self.session) else {
            return Fault::not_connected();
        };
        session.deadline = None;
        if session.break_mode == BreakMode::Prompt && !frozen {
            return Fault::call_timeout();
        }
        session.fate = Fate::Gone;
        state.locks.end_session(self.session);
        Fault::not_connected()
    }
}
