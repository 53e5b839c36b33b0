//! What all connections share: the locks, the tables, and who is logged in.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use tokio::sync::Notify;

use crate::locks::{LockTable, Scope};
use crate::login::Login;
use crate::plan::Plans;
use crate::session::{Session, Undo};
use crate::table::Table;

/// The databases of the server; the first is everybody's until another is asked for.
pub(crate) const DATABASES: [&str; 5] = ["master", "tempdb", "model", "msdb", "dlock"];

/// How often the lock monitor looks for deadlocks. The real one starts with 5 s and comes down
/// to 100 ms once it has found some.
const MONITOR: Duration = Duration::from_millis(500);

/// Numbers up to 50 are the server's own.
const FIRST_SESSION: u16 = 51;

/// What others may see of a session.
#[derive(Debug)]
pub(crate) struct Visible {
    pub(crate) kill: Arc<Notify>,
    pub(crate) host: String,
    pub(crate) user: String,
    pub(crate) program: String,
    pub(crate) database: &'static str,
    pub(crate) transactions: i32,
    pub(crate) running: bool,
    /// When it last began a request.
    pub(crate) since: SystemTime,
}

#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) locks: LockTable,
    pub(crate) tables: BTreeMap<String, Table>,
    pub(crate) sessions: BTreeMap<u16, Visible>,
    descriptors: u64,
}

/// The shared part of a server.
#[derive(Debug)]
pub(crate) struct Engine {
    state: Mutex<State>,
    pub(crate) started: SystemTime,
    pub(crate) plans: Plans,
}

impl Default for Engine {
    fn default() -> Self {
        let (state, plans) = (Mutex::default(), Plans::default());
        Self { state, started: SystemTime::now(), plans }
    }
}

impl Engine {
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets a connection in, under the lowest number that is free.
    pub(crate) fn enter(&self, login: Login, database: &'static str) -> Session {
        let mut state = self.state();
        let id = (FIRST_SESSION..)
            .find(|id| !state.sessions.contains_key(id))
            .expect("fewer sessions than numbers");
        let visible = Visible {
            kill: Arc::default(),
            host: login.host.clone(),
            user: login.user.clone(),
            program: login.program.clone(),
            database,
            transactions: 0,
            running: false,
            since: SystemTime::now(),
        };
        state.sessions.insert(id, visible);
        Session::new(id, database, login)
    }

    /// Ends a session: its transaction is rolled back, its locks and waits are gone.
    pub(crate) fn leave(&self, session: &mut Session) {
        let mut state = self.state();
        state.restore(session.undo.drain(..));
        state.locks.end(session.id, Scope::Session);
        let suffix = format!("@{}", session.id);
        state.tables.retain(|name, _| !name.ends_with(&suffix));
        state.sessions.remove(&session.id);
    }

    /// What `sp_reset_connection` does.
    pub(crate) fn reset(&self, session: &mut Session) {
        let mut state = self.state();
        state.restore(session.undo.drain(..));
        state.locks.end(session.id, Scope::Session);
        session.reset();
    }

    /// Lets the others see how the session stands.
    pub(crate) fn show(&self, session: &Session, running: bool) {
        if let Some(visible) = self.state().sessions.get_mut(&session.id) {
            visible.running = running;
            if running {
                visible.since = SystemTime::now();
            }
            visible.transactions = session.transactions;
            visible.database = session.database;
        }
    }

    /// A number that no transaction has had.
    pub(crate) fn descriptor(&self) -> u64 {
        let mut state = self.state();
        state.descriptors += 1;
        state.descriptors
    }

    /// The lock monitor; it never ends.
    pub(crate) async fn monitor(self: Arc<Engine>) {
        let mut ticks = tokio::time::interval(MONITOR);
        loop {
            ticks.tick().await;
            self.state().locks.break_circles();
        }
    }
}

impl State {
    /// Puts back what was there before, the last change first.
    pub(crate) fn restore(&mut self, undo: impl DoubleEndedIterator<Item = Undo>) {
        for change in undo.rev() {
            let Some(table) = self.tables.get_mut(&change.table) else {
                continue;
            };
            match change.before {
                Some(row) => table.rows.insert(change.row, row),
                None => table.rows.remove(&change.row),
            };
        }
    }
}
