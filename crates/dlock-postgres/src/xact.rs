use crate::answer::{
    Answer, Native, Tried, ends_session, is_in_failed_transaction, lacks_plpgsql, meaning, queue,
    read, standby, truth, word,
};
use crate::registry::Registry;
use crate::slice::Slices;
use crate::statement::{self, Form, LIMITS, RELEASE, ROLL_BACK_TO};
use crate::{Error, Key, Mode};
use dlock_core::{ByRef, RawLock, RawNew, RawShared, Wait, within};
use std::fmt;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::OwnedSemaphorePermit;
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, SimpleQueryRow, Transaction};

/// An advisory lock that belongs to a transaction.
///
/// A wait goes on in slices that are long enough for the server to find a deadlock. Its transaction is
/// open all the time, so what `Lock` promises about `VACUUM` and `CONCURRENTLY` commands this one does
/// not: a command of the holder's that waits for older transactions to end waits for this one.
///
/// It works behind a savepoint. What else is said over the transaction meanwhile stays, but where a wait is
/// dropped, or fails: then it is undone with it. Await other statements before or after a wait.
pub struct Xact<'a> {
    transaction: &'a Transaction<'a>,
    registry: Arc<Registry>,
    key: Key,
    mode: Mode,
    form: Form,
    /// Whether there is a savepoint to go back to: an answer is to come.
    asks: bool,
    /// The turn of a wait, until the end of its savepoint is queued: a drop's, too.
    turn: Option<OwnedSemaphorePermit>,
    /// The answer to the undoing that `abandon` queued.
    leaving: Option<Answer>,
    ended: bool,
}

impl<'a> Xact<'a> {
    /// A lock that has sent nothing yet.
    pub(crate) fn of(transaction: &'a Transaction<'a>, key: Key) -> Self {
        let registry = Registry::of(transaction.client());
        let (mode, form) = (Mode::Exclusive, Form::Quiet);
        Self {
            transaction,
            registry,
            key,
            mode,
            form,
            asks: false,
            turn: None,
            leaving: None,
            ended: false,
        }
    }

    fn client(&self) -> &Client {
        self.transaction.client()
    }

    /// Says something behind a savepoint.
    async fn ask(&mut self, text: &str) -> Result<Vec<SimpleQueryRow>, Native> {
        let sent = queue(self.client(), text)?;
        self.asks = true;
        read(pin!(sent)).await
    }

    /// Queues the end of the savepoint, in the poll that has read the answer: so none is ever left.
    fn end_savepoint(&mut self, text: &str) {
        self.asks = false;
        drop(queue(self.client(), text));
        // The next wait's stands behind it.
        self.turn = None;
    }

    async fn attempt(&mut self) -> Result<Tried, Error> {
        let rows = self.ask(&statement::try_xact_lock(self.mode, self.key.number())).await;
        let rows = rows.map_err(|error| self.undone(error))?;
        self.end_savepoint(RELEASE);
        Ok(Tried::new(word(&rows)))
    }

    async fn wait_once(&mut self, length: Duration, slices: &mut Slices) -> Result<bool, Error> {
        let millis = Wait::millis(length).max(1);
        let text = statement::wait_in_xact(self.form, self.mode, self.key.number(), millis);
        match self.ask(&text).await {
            Ok(rows) => {
                // Nothing is rolled back: what others have said behind the wait is behind the savepoint, too.
                let told = [0, 1, 2].map(|column| rows.first().and_then(|row| row.get(column)));
                self.end_savepoint(&statement::restore(told));
                slices.learn(rows.first().and_then(|row| row.get(LIMITS.len())));
                Ok(truth(&rows) == Some(true))
            }
            Err(error) => self.not_waited(error),
        }
    }

    fn not_waited(&mut self, error: Native) -> Result<bool, Error> {
        let lacks_plpgsql = self.form == Form::Quiet && lacks_plpgsql(&error);
        let ran_out = error.code() == Some(&SqlState::LOCK_NOT_AVAILABLE);
        let error = self.undone(error);
        if lacks_plpgsql {
            self.form = Form::Plain;
        }
        if lacks_plpgsql || ran_out { Ok(false) } else { Err(error) }
    }

    /// What an error means, once it has been undone.
    fn undone(&mut self, error: Native) -> Error {
        self.asks = false;
        self.ended |= ends_session(&error);
        // In a transaction that had failed before there is no savepoint to go back to.
        if !is_in_failed_transaction(&error) {
            self.end_savepoint(ROLL_BACK_TO);
        }
        meaning(error)
    }

    async fn queue_up(&mut self, slices: Slices) -> Result<bool, Error> {
        let granted = self.wait_in_slices(slices).await;
        self.turn = None;
        granted
    }

    async fn wait_in_slices(&mut self, mut slices: Slices) -> Result<bool, Error> {
        loop {
            // One wait of a transaction at a time is on the wire: each tells the limits that it sets aside.
            let turn = self.registry.turn();
            self.turn = match slices.left() {
                None => turn.await,
                Some(left) => within(left, turn).await.flatten(),
            };
            let Some(length) = slices.next(true) else { return Ok(false) };
            self.registry.set_turn(length);
            if self.wait_once(length, &mut slices).await? {
                return Ok(true);
            }
        }
    }
}

impl RawLock for Xact<'_> {
    type Key = Key;
    type Mode = Mode;
    type Session = Client;
    type Lend = ByRef;
    type Error = Native;

    const SYSTEM: &'static str = "postgresql";

    fn key(&self) -> &Key {
        &self.key
    }

    fn mode(&self) -> Mode {
        self.mode
    }

    fn session(&mut self) -> Option<&Client> {
        Some(self.client())
    }

    fn is_closed(&self) -> bool {
        self.ended || self.client().is_closed()
    }

    async fn lock(&mut self, wait: Wait) -> Result<bool, Error> {
        let start = Instant::now();
        let granted = match self.attempt().await? {
            Tried::Granted => true,
            Tried::Elsewhere if wait == Wait::No => false,
            Tried::Elsewhere => {
                self.queue_up(Slices::new(start, wait.limit(), None).all_full()).await?
            }
            Tried::HeldHere => return Err(Error::AlreadyHeld),
            Tried::Standby => return Err(standby()),
        };
        if granted {
            self.registry.set_inside(true);
        }
        Ok(granted)
    }

    fn abandon(&mut self) {
        if std::mem::take(&mut self.asks) {
            self.leaving = queue(self.client(), ROLL_BACK_TO).ok().map(Box::pin);
        }
        self.turn = None;
    }

    async fn settle(&mut self) -> Result<(), Error> {
        let Some(leaving) = &mut self.leaving else { return Ok(()) };
        let undone = read(leaving.as_mut()).await;
        self.leaving = None;
        match undone {
            // It had failed before: there was nothing to undo.
            Err(error) if !ends_session(&error) && !is_in_failed_transaction(&error) => {
                Err(meaning(error))
            }
            Err(error) => {
                self.ended |= ends_session(&error);
                Ok(())
            }
            Ok(_) => Ok(()),
        }
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

impl fmt::Debug for Xact<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Xact")
            .field("key", &self.key)
            .field("mode", &self.mode)
            .finish_non_exhaustive()
    }
}
