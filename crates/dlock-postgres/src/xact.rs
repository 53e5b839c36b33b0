use crate::answer::{
    Answer, Native, ends_session, is_in_failed_transaction, meaning, parked, queue, read, tried,
    truth,
};
use crate::registry::Registry;
use crate::slice::Slices;
use crate::statement::{self, LIMITS, RELEASE, ROLL_BACK_TO};
use crate::{Error, Key, Mode};
use dlock_core::{ByRef, RawLock, RawNew, RawShared, Wait, within};
use futures::FutureExt;
use std::fmt;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::OwnedSemaphorePermit;
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
    /// Whether there is a savepoint to go back to: an answer is to come.
    asks: bool,
    /// The turn of a wait, until the end of its savepoint is queued: a drop's, too.
    turn: Option<OwnedSemaphorePermit>,
    /// The answer to the undoing that `abandon` queued.
    leaving: Option<Answer>,
    ended: bool,
}

impl<'a> Xact<'a> {
    fn client(&self) -> &Client {
        self.transaction.client()
    }

    /// Says something behind a savepoint.
    async fn ask(&mut self, text: &str) -> Result<Vec<SimpleQueryRow>, Native> {
        self.asks = true;
        say(self.client(), text).await
    }

    /// Queues the end of the savepoint, in the poll that has read the answer: so none is ever left.
    fn end_savepoint(&mut self, text: &str) {
        self.asks = false;
        drop(queue(self.client(), text));
        // The next wait's stands behind it.
        self.turn = None;
    }

    /// Waits for the turn: of one transaction one savepoint at a time is open, since the end of it undoes what
    /// was granted inside. `false`: the time is over.
    async fn take_turn(&mut self, left: Option<Duration>) -> Result<bool, Error> {
        let client = self.client();
        let turn = self.registry.turn(|| async { drop(say(client, "").await) }.boxed());
        let turn = within(left.unwrap_or(Duration::MAX), turn).await;
        self.turn = turn.map(|turn| turn.ok_or_else(parked)).transpose()?;
        Ok(self.turn.is_some())
    }

    async fn attempt(&mut self) -> Result<bool, Error> {
        self.registry.set_turn(Duration::ZERO);
        let rows = self.ask(&statement::try_xact_lock(self.mode, self.key.number())).await;
        let rows = rows.map_err(|error| self.undone(error))?;
        self.end_savepoint(RELEASE);
        tried(&rows)
    }

    async fn acquire(&mut self, wait: Wait) -> Result<bool, Error> {
        let slices = Slices::new(Instant::now(), wait.limit(), None).all_full();
        let limit = slices.left().filter(|_| wait != Wait::No);
        let waits = self.take_turn(limit).await? && wait != Wait::No;
        if self.turn.is_none() {
            // A free key is taken, however long another lock's slice is.
            self.take_turn(None).await?;
        }
        match self.attempt().await? {
            false if waits => self.wait_in_slices(slices).await,
            granted => Ok(granted),
        }
    }

    async fn wait_once(&mut self, length: Duration, slices: &mut Slices) -> Result<bool, Error> {
        let millis = Wait::millis(length).max(1);
        let form = self.registry.form();
        let text = statement::wait_in_xact(form, self.mode, self.key.number(), millis);
        match self.ask(&text).await {
            Ok(rows) => {
                // Nothing is rolled back: what others have said behind the wait is behind the savepoint, too.
                let told = [0, 1, 2].map(|column| rows.first().and_then(|row| row.get(column)));
                self.end_savepoint(&statement::restore(told));
                slices.learn(rows.first().and_then(|row| row.get(LIMITS.len())));
                Ok(truth(&rows) == Some(true))
            }
            Err(error) => {
                let ran_out = self.registry.ran_out(form, &error);
                let error = self.undone(error);
                if ran_out { Ok(false) } else { Err(error) }
            }
        }
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

    async fn wait_in_slices(&mut self, mut slices: Slices) -> Result<bool, Error> {
        loop {
            self.take_turn(slices.left()).await?;
            let Some(length) = slices.next(true) else { return Ok(false) };
            self.registry.set_turn(length);
            if self.wait_once(length, &mut slices).await? {
                return Ok(true);
            }
        }
    }
}

/// Says something, and reads the answer.
async fn say(client: &Client, text: &str) -> Result<Vec<SimpleQueryRow>, Native> {
    let sent = queue(client, text)?;
    read(pin!(sent)).await
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
        let granted = self.acquire(wait).await;
        self.turn = None;
        if let Ok(true) = granted {
            self.registry.set_inside(true);
        }
        granted
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
        let registry = Registry::of(transaction.client());
        Self {
            transaction,
            registry,
            key,
            mode: Mode::Exclusive,
            asks: false,
            turn: None,
            leaving: None,
            ended: false,
        }
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
