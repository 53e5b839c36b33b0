//! One simulated database: its locks, its sessions, and what wakes those who wait.

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::session::{BreakMode, Fate, Session};
use crate::fault::Fault;
use crate::locks::Locks;
use crate::resource::SessionId;

/// How long a waiter waits before the server looks for a deadlock.
const DEADLOCK_DELAY: Duration = Duration::from_secs(3);

/// The user who has no EXECUTE on DBMS_LOCK.
const WITHOUT_GRANT: &str = "NOGRANT";

/// The user who may not look at anybody's session, nor end it.
const WITHOUT_VIEWS: &str = "NOVIEWS";

/// Everything that changes in a database.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) locks: Locks,
    pub(crate) sessions: BTreeMap<SessionId, Session>,
    /// The ids given out by ALLOCATE_UNIQUE.
    pub(crate) names: BTreeMap<String, i64>,
    pub(crate) deadlock_delay: Duration,
    /// `PRIMARY`, or a kind of standby.
    pub(crate) role: String,
    /// How many seconds its clock is ahead.
    pub(crate) clock_is_wrong_by: f64,
    /// It says that it has several instances.
    pub(crate) is_cluster: bool,
    /// The server answers nobody but this session.
    pub(crate) frozen_by: Option<SessionId>,
    last_session: SessionId,
}

/// A database, shared by every connection of this process to the same connect string.
#[derive(Debug)]
pub(crate) struct Database {
    pub(crate) name: String,
    state: Mutex<State>,
    changed: Condvar,
}

static DATABASES: Mutex<BTreeMap<String, Arc<Database>>> = Mutex::new(BTreeMap::new());

impl State {
    pub(crate) fn is_frozen(&self, for_session: SessionId) -> bool {
        self.frozen_by.is_some_and(|by| by != for_session)
    }
}

impl Database {
    /// The database of a connect string; made when first asked for.
    pub(crate) fn named(name: &str) -> Arc<Self> {
        let mut databases = DATABASES.lock().unwrap_or_else(PoisonError::into_inner);
        let database = databases.entry(name.to_owned());
        Arc::clone(database.or_insert_with(|| Arc::new(Self::empty(name))))
    }

    fn empty(name: &str) -> Self {
        let state = State {
            locks: Locks::default(),
            sessions: BTreeMap::new(),
            names: BTreeMap::new(),
            deadlock_delay: DEADLOCK_DELAY,
            role: "PRIMARY".to_owned(),
            clock_is_wrong_by: 0.0,
            is_cluster: false,
            frozen_by: None,
            last_session: 100,
        };
        Self { name: name.to_owned(), state: Mutex::new(state), changed: Condvar::new() }
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes something and wakes everyone who may be waiting for it.
    pub(crate) fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let result = change(&mut self.state());
        self.changed.notify_all();
        result
    }

    /// Sleeps until something changes, or until `wake`.
    pub(crate) fn sleep<'a>(
        &self,
        state: MutexGuard<'a, State>,
        wake: Option<Instant>,
    ) -> MutexGuard<'a, State> {
        let Some(wake) = wake else {
            return self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        };
        let rest = wake.saturating_duration_since(Instant::now());
        let woken = self.changed.wait_timeout(state, rest);
        woken.unwrap_or_else(PoisonError::into_inner).0
    }

    pub(crate) fn log_on(&self, user: &str) -> SessionId {
        self.change(|state| {
            state.last_session += 1;
            let session = Session::new(state.last_session * 7, user);
            state.sessions.insert(state.last_session, session);
            state.last_session
        })
    }

    pub(crate) fn log_off(&self, id: SessionId) {
        self.change(|state| {
            state.locks.end_session(id);
            state.sessions.remove(&id);
            state.frozen_by = state.frozen_by.filter(|by| *by != id);
        });
    }

    pub(crate) fn send_break(&self, id: SessionId) {
        self.change(|state| {
            if let Some(session) = state.sessions.get_mut(&id) {
                session.broken |= session.break_mode != BreakMode::Ignored;
            }
        });
    }

    /// An administrator's cancel of what every other session is doing.
    pub(crate) fn interrupt_others(&self, own: SessionId, mode: BreakMode) {
        self.change(|state| {
            let others = state.sessions.iter_mut().filter(|(id, _)| **id != own);
            for (_, session) in others.filter(|(_, session)| session.busy) {
                session.break_mode = mode;
                session.broken = true;
            }
        });
    }

    pub(crate) fn is_alive(&self, id: SessionId) -> bool {
        let state = self.state();
        let session = state.sessions.get(&id);
        session.is_some_and(|session| session.fate == Fate::Alive)
    }

    /// Ends another session: its locks are free at once, its client learns later.
    pub(crate) fn end(&self, id: SessionId, serial: u32, fate: Fate) -> Result<(), Fault> {
        self.change(|state| {
            let session = state.sessions.get_mut(&id).filter(|session| session.serial == serial);
            let session =
                session.ok_or_else(|| Fault::new(30, "User session ID does not exist."))?;
            session.fate = fate;
            state.locks.end_session(id);
            Ok(())
        })
    }

    /// Whether the user may read the views of the system.
    pub(crate) fn may_look(&self, id: SessionId) -> bool {
        let state = self.state();
        let session = state.sessions.get(&id);
        session.is_some_and(|session| session.user != WITHOUT_VIEWS)
    }

    pub(crate) fn may_lock(&self, id: SessionId) -> bool {
        let state = self.state();
        let session = state.sessions.get(&id);
        session.is_some_and(|session| session.user != WITHOUT_GRANT)
    }
}
