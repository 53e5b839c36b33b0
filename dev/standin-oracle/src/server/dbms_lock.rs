//! DBMS_LOCK: the package's routines and their codes.

use std::time::{Duration, Instant};

use super::call::Call;
use super::database::State;
use crate::fault::Fault;
use crate::locks::{Locks, Outcome};
use crate::mode::Mode;
use crate::resource::Lifetime;

/// The longest wait, which means for ever.
const MAXWAIT: i64 = 32_767;

const SUCCESS: i64 = 0;
const TIMEOUT: i64 = 1;
const DEADLOCK: i64 = 2;
const PARAMETER_ERROR: i64 = 3;
const OWN_OR_NOT_OWN: i64 = 4;
const ILLEGAL_HANDLE: i64 = 5;

/// Ids from here on belong to ALLOCATE_UNIQUE.
const FIRST_ALLOCATED: i64 = 1_073_741_824;
const LAST_ALLOCATED: i64 = 1_999_999_999;

impl Call<'_> {
    /// `DBMS_LOCK.REQUEST`.
    pub(crate) fn request(
        &self,
        id: i64,
        mode: i64,
        timeout: i64,
        on_commit: bool,
    ) -> Result<i64, Fault> {
        let Some((mode, wait)) = parameters(id, mode, timeout) else {
            return Ok(PARAMETER_ERROR);
        };
        let lifetime = if on_commit { Lifetime::Transaction } else { Lifetime::Session };
        let ask = |locks: &mut Locks| locks.request(self.session, id, mode, lifetime);
        self.await_grant(self.enqueue(ask, wait), wait)
    }

    /// `DBMS_LOCK.CONVERT`.
    pub(crate) fn convert(&self, id: i64, mode: i64, timeout: i64) -> Result<i64, Fault> {
        let Some((mode, wait)) = parameters(id, mode, timeout) else {
            return Ok(PARAMETER_ERROR);
        };
        let ask = |locks: &mut Locks| locks.convert(self.session, id, mode);
        self.await_grant(self.enqueue(ask, wait), wait)
    }

    /// Asks for a lock. Without a wait nobody ever sees this session in the queue.
    fn enqueue(&self, ask: impl FnOnce(&mut Locks) -> Outcome, wait: Option<Duration>) -> Outcome {
        self.database.change(|state| {
            let outcome = ask(&mut state.locks);
            if outcome == Outcome::Queued && wait == Some(Duration::ZERO) {
                state.locks.withdraw(self.session);
            }
            outcome
        })
    }

    /// `DBMS_LOCK.RELEASE`.
    pub(crate) fn release(&self, id: i64) -> i64 {
        if !(0..=LAST_ALLOCATED).contains(&id) {
            return PARAMETER_ERROR;
        }
        let held = self.database.change(|state| state.locks.release(self.session, id));
        if held { SUCCESS } else { OWN_OR_NOT_OWN }
    }

    /// `DBMS_LOCK.ALLOCATE_UNIQUE`, which commits, or its autonomous sister, which does not.
    pub(crate) fn allocate(&self, name: &str, commits: bool) -> String {
        let id = self.database.change(|state| {
            let next = FIRST_ALLOCATED + i64::try_from(state.names.len()).unwrap_or(0);
            *state.names.entry(name.to_owned()).or_insert(next)
        });
        if commits {
            self.end_transaction();
        }
        format!("{id}{id}187")
    }

    /// COMMIT and ROLLBACK alike.
    pub(crate) fn end_transaction(&self) {
        self.database.change(|state| state.locks.end_transaction(self.session));
    }

    fn await_grant(&self, outcome: Outcome, wait: Option<Duration>) -> Result<i64, Fault> {
        match outcome {
            Outcome::Granted => Ok(SUCCESS),
            Outcome::Refused => Ok(OWN_OR_NOT_OWN),
            Outcome::Queued if wait == Some(Duration::ZERO) => Ok(TIMEOUT),
            Outcome::Queued => self.queue(wait),
        }
    }

    fn queue(&self, wait: Option<Duration>) -> Result<i64, Fault> {
        let deadline = wait.map(|wait| Instant::now() + wait);
        let waited = self.watch(deadline);
        if matches!(waited, Ok(SUCCESS)) {
            return waited;
        }
        let queued = self.database.change(|state| {
            let queued = state.locks.is_waiting(self.session);
            state.locks.withdraw(self.session);
            queued
        });
        if queued { waited } else { waited.and(Ok(SUCCESS)) }
    }

    /// Waits in spells, with a look for a deadlock after each.
    fn watch(&self, deadline: Option<Instant>) -> Result<i64, Fault> {
        loop {
            let look = Instant::now() + self.database.state().deadlock_delay;
            let spell = deadline.map_or(look, |deadline| deadline.min(look));
            let granted = |state: &mut State| (!state.locks.is_waiting(self.session)).then_some(());
            if self.wait(Some(spell), granted)?.is_some() {
                return self.granted();
            }
            if deadline.is_some_and(|deadline| deadline <= Instant::now()) {
                return Ok(TIMEOUT);
            }
            if self.database.state().locks.is_deadlocked(self.session) {
                return Ok(DEADLOCK);
            }
        }
    }

    /// Out of the queue: because the lock was granted, or because the session is over.
    fn granted(&self) -> Result<i64, Fault> {
        if self.database.is_alive(self.session) {
            return Ok(SUCCESS);
        }
        self.check().map(|()| SUCCESS)
    }
}

/// An id of the user's own, or the code of one that is out of range.
pub(crate) fn user_id(id: i64) -> Result<i64, i64> {
    if (0..FIRST_ALLOCATED).contains(&id) { Ok(id) } else { Err(PARAMETER_ERROR) }
}

/// The id that a handle of ALLOCATE_UNIQUE stands for, or the code of an illegal one.
pub(crate) fn handle_id(handle: &str) -> Result<i64, i64> {
    let id = handle.get(..10).and_then(|digits| digits.parse().ok());
    match id {
        Some(id) if (FIRST_ALLOCATED..=LAST_ALLOCATED).contains(&id) => Ok(id),
        _ => Err(ILLEGAL_HANDLE),
    }
}

fn parameters(id: i64, mode: i64, timeout: i64) -> Option<(Mode, Option<Duration>)> {
    let mode = Mode::from_code(mode)?;
    let seconds = u64::try_from(timeout).ok().filter(|_| timeout <= MAXWAIT)?;
    let known = (0..=LAST_ALLOCATED).contains(&id);
    let wait = (timeout != MAXWAIT).then(|| Duration::from_secs(seconds));
    known.then_some((mode, wait))
}
