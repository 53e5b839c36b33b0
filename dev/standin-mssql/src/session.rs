//! What the server remembers of one connection.

use crate::datum::Datum;
use crate::login::Login;

/// What was there before a change, to be put back by a rollback.
#[derive(Debug)]
pub(crate) struct Undo {
    pub(crate) table: String,
    pub(crate) row: u64,
    pub(crate) before: Option<Vec<Datum>>,
}

/// Where a transaction can be rolled back to.
#[derive(Debug)]
pub(crate) struct Savepoint {
    pub(crate) name: String,
    /// The length of the undo log at its time.
    pub(crate) undo: usize,
    /// The latest request for a lock at its time.
    pub(crate) ticket: u64,
}

/// A connection that is logged in.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) id: u16,
    pub(crate) database: &'static str,
    pub(crate) host: String,
    pub(crate) user: String,
    pub(crate) program: String,
    /// How many BEGINs are open.
    pub(crate) transactions: i32,
    /// Names the open transaction on the wire; zero without one.
    pub(crate) descriptor: u64,
    /// The open transaction can only be rolled back.
    pub(crate) doomed: bool,
    pub(crate) undo: Vec<Undo>,
    pub(crate) savepoints: Vec<Savepoint>,
    /// Milliseconds; -1 is for ever.
    pub(crate) lock_timeout: i32,
    pub(crate) xact_abort: bool,
    pub(crate) no_count: bool,
    pub(crate) implicit_transactions: bool,
    /// `@@ERROR` and `@@ROWCOUNT`.
    pub(crate) error: u32,
    pub(crate) rows: u64,
}

impl Session {
    pub(crate) fn new(id: u16, database: &'static str, login: Login) -> Session {
        let Login { host, user, program, .. } = login;
        Session {
            id,
            database,
            host,
            user,
            program,
            transactions: 0,
            descriptor: 0,
            doomed: false,
            undo: Vec::new(),
            savepoints: Vec::new(),
            lock_timeout: -1,
            xact_abort: false,
            no_count: false,
            implicit_transactions: false,
            error: 0,
            rows: 0,
        }
    }

    /// Everything as at login, the number aside.
    pub(crate) fn reset(&mut self) {
        let login = Login {
            host: self.host.clone(),
            user: self.user.clone(),
            program: self.program.clone(),
            ..Login::default()
        };
        *self = Session::new(self.id, self.database, login);
    }
}
