use crate::advisory::LONGEST;
use crate::answer::{Answer, ends_session, meaning, queue, read, standby};
use crate::cancel::Waiting;
use crate::{Canceller, Error, Key, Mode};
use dlock_core::{ByRef, Deadline, RawCancel, RawLock, RawNew, RawShared, Wait};
use std::fmt;
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, SimpleQueryRow, Transaction};

/// The settings that cut a wait short, in the order of [`LIFT`]'s columns.
const LIMITS: [&str; 3] = ["lock_timeout", "statement_timeout", "transaction_timeout"];

/// The first half of [`UNDO`], which may be done twice.
const ROLL_BACK: &str = "ROLLBACK TO SAVEPOINT dlock";

/// Undoes everything since the savepoint: settings and a grant too.
const UNDO: &str = "ROLLBACK TO SAVEPOINT dlock; RELEASE SAVEPOINT dlock";

/// An advisory lock that is held by the caller's transaction.
///
/// Each acquire stands behind a savepoint, so that a time-out, a deadlock and a dropped wait leave the
/// transaction usable.
pub struct Xact<'a> {
    transaction: &'a Transaction<'a>,
    key: Key,
    mode: Mode,
    canceller: Option<Canceller>,
    waiting: Option<Waiting>,
    /// The undoing that `abandon` queued.
    leaving: Option<Answer>,
    ended: bool,
}

/// What the server said to one message.
enum Said {
    Granted,
    Refused,
    Held,
    Standby,
}

impl<'a> Xact<'a> {
    /// A lock that has sent nothing yet.
    pub(crate) fn of(transaction: &'a Transaction<'a>, key: Key) -> Self {
        Self {
            transaction,
            key,
            mode: Mode::Exclusive,
            canceller: None,
            waiting: None,
            leaving: None,
            ended: false,
        }
    }

    /// One message, one wait. What has to follow it is queued behind its answer, not waited for.
    async fn ask_once(&mut self, wait: Wait) -> Result<bool, Error> {
        let message = self.message(wait);
        let answer = self.transaction.client().simple_query_raw(&message).await;
        let waiting = Waiting::new(answer.map_err(|error| self.failed(error))?);
        let rows = self.waiting.insert(waiting).read().await;
        self.waiting = None;
        match rows {
            Ok(rows) => self.heard(&rows),
            Err(error) => self.not_granted(error),
        }
    }

    fn heard(&mut self, rows: &[SimpleQueryRow]) -> Result<bool, Error> {
        let said = rows.last().and_then(|row| row.get(0)).map_or(Said::Refused, Said::from);
        match said {
            Said::Granted => self.send(&restore(rows)),
            Said::Refused | Said::Held | Said::Standby => self.send(UNDO),
        }
        match said {
            Said::Granted => Ok(true),
            Said::Refused => Ok(false),
            Said::Held => Err(Error::AlreadyHeld),
            Said::Standby => Err(standby()),
        }
    }

    fn not_granted(&mut self, error: tokio_postgres::Error) -> Result<bool, Error> {
        // In a transaction that was aborted before there is no savepoint to go back to.
        if error.code() != Some(&SqlState::IN_FAILED_SQL_TRANSACTION) {
            self.send(UNDO);
        }
        match error.code() {
            Some(&SqlState::LOCK_NOT_AVAILABLE) => Ok(false),
            _ => Err(self.failed(error)),
        }
    }

    fn message(&self, wait: Wait) -> String {
        let (suffix, key, held) = (self.mode.suffix(), self.key.arguments(), self.key.held());
        let (lift, function) = match wait {
            Wait::No => (String::new(), "pg_try_advisory_xact_lock"),
            _ => (lift(wait.limit().map_or(0, Wait::millis)), "pg_advisory_xact_lock"),
        };
        format!(
            "SAVEPOINT dlock;{lift}\
             SELECT CASE WHEN pg_is_in_recovery() THEN 'standby' WHEN {held} THEN 'held' \
             ELSE {function}{suffix}({key})::text END"
        )
    }

    fn send(&self, message: &str) {
        drop(queue(self.transaction.client(), message));
    }

    fn failed(&mut self, error: tokio_postgres::Error) -> Error {
        self.ended |= ends_session(&error);
        meaning(error)
    }
}

impl From<&str> for Said {
    /// The blocking function returns nothing, the trying one a boolean.
    fn from(text: &str) -> Self {
        match text {
            "" | "true" => Said::Granted,
            "held" => Said::Held,
            "standby" => Said::Standby,
            _ => Said::Refused,
        }
    }
}

/// Tells the limits of the transaction, and sets them aside for the wait.
fn lift(millis: u64) -> String {
    format!(
        "SELECT current_setting('lock_timeout'),current_setting('statement_timeout'),\
         current_setting('transaction_timeout',true),\
         set_config('lock_timeout','{millis}',true),set_config('statement_timeout','0',true),\
         CASE WHEN current_setting('transaction_timeout',true) IS NOT NULL \
         THEN set_config('transaction_timeout','0',true) END;"
    )
}

/// Puts back the limits that the answer tells, and keeps the grant.
fn restore(rows: &[SimpleQueryRow]) -> String {
    let mut message = String::new();
    if let [limits, _] = rows {
        for (column, name) in LIMITS.iter().enumerate() {
            if let Some(value) = limits.get(column) {
                message += &format!("SET LOCAL {name}='{value}';");
            }
        }
    }
    message + "RELEASE SAVEPOINT dlock"
}

impl RawLock for Xact<'_> {
    type Key = Key;
    type Mode = Mode;
    type Session = Client;
    type Lend = ByRef;
    type Error = tokio_postgres::Error;

    const SYSTEM: &'static str = "postgresql";

    fn key(&self) -> &Key {
        &self.key
    }

    fn mode(&self) -> Mode {
        self.mode
    }

    fn session(&mut self) -> Option<&Client> {
        Some(self.transaction.client())
    }

    fn is_closed(&self) -> bool {
        self.ended || self.transaction.client().is_closed()
    }

    async fn lock(&mut self, wait: Wait) -> Result<bool, Error> {
        let deadline = Deadline::new(wait);
        loop {
            let (slice, last) = deadline.slice_or_forever(LONGEST);
            if self.ask_once(slice).await? {
                return Ok(true);
            }
            if last {
                return Ok(false);
            }
        }
    }

    fn abandon(&mut self) {
        let client = self.transaction.client();
        if let Some(waiting) = self.waiting.take() {
            waiting.call_off(client, ROLL_BACK, self.canceller.clone());
        }
        self.leaving = queue(client, UNDO);
    }

    async fn settle(&mut self) -> Result<(), Error> {
        if let Some(leaving) = &mut self.leaving {
            let undone = read(leaving.as_mut()).await;
            self.leaving = None;
            undone.map_err(|error| self.failed(error))?;
        }
        Ok(())
    }
}

impl<'a> RawNew<&'a Transaction<'a>> for Xact<'a> {
    fn new(transaction: &'a Transaction<'a>, key: Key) -> Self {
        Self::of(transaction, key)
    }
}

impl RawShared for Xact<'_> {
    fn set_shared(&mut self) {
        self.mode = Mode::Shared;
    }
}

impl RawCancel for Xact<'_> {
    type Canceller = Canceller;

    fn set_canceller(&mut self, canceller: &Canceller) {
        self.canceller = Some(canceller.clone());
    }
}

impl fmt::Debug for Xact<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Xact")
            .field("key", &self.key)
            .field("mode", &self.mode)
            .finish_non_exhaustive()
    }
}
