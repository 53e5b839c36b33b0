use crate::answer::{code, is_fatal};
use crate::locks::{Server, ServerError, Wire};
use crate::statement::{self, BatchText};
use crate::{Key, Mode};
use dlock_core::Wait;
use dlock_locks::{Ask, Driver, What};
use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::fmt;
use std::time::{Duration, Instant};
use tiberius::error::Error as Native;
use tiberius::{Client, Row, ToSql};
use tokio::sync::{Mutex, MutexGuard};

/// The rows of each result.
pub(crate) type Results = Vec<Vec<Row>>;

/// A session of [`Locks`](crate::Locks).
pub struct ServerSession {
    client: Mutex<Client<Wire>>,
    wire: Wire,
    server: String,
    is_ended: Cell<bool>,
    /// Keys that were granted twice, in update mode and then in exclusive mode: each get needs its own
    /// release.
    upgraded: RefCell<HashSet<Key>>,
}

impl ServerSession {
    /// Makes it clean by its first statement, and looks where it is.
    pub(crate) async fn new(mut client: Client<Wire>, wire: Wire) -> Result<Self, ServerError> {
        let text = format!("{}{}", statement::CLEAN, statement::LOOK);
        let look = Look::of(client.simple_query(text).await?.into_row().await?)?;
        if look.is_read_only {
            return Err(ServerError::ReadOnly);
        }
        Ok(Self {
            client: Mutex::new(client),
            wire,
            server: look.server,
            is_ended: Cell::new(false),
            upgraded: RefCell::default(),
        })
    }

    pub(crate) async fn client(&self) -> MutexGuard<'_, Client<Wire>> {
        self.client.lock().await
    }

    /// Whether nobody holds this key.
    pub(crate) async fn is_free(&self, key: &Key) -> Result<bool, ServerError> {
        Ok(self.number(statement::IS_FREE, &[&key.as_str()]).await? == 1)
    }

    /// Runs a batch and reads its answer to the end.
    pub(crate) async fn ask(
        &self,
        text: &str,
        parameters: &[&dyn ToSql],
    ) -> Result<Results, Native> {
        let mut client = self.client.lock().await;
        let answered = match client.query(text, parameters).await {
            Ok(stream) => stream.into_results().await,
            Err(error) => Err(error),
        };
        self.is_ended.set(self.is_ended.get() || answered.as_ref().is_err_and(is_fatal));
        answered
    }

    /// Asks for one number.
    async fn number(&self, text: &str, parameters: &[&dyn ToSql]) -> Result<i32, ServerError> {
        let answer = self.ask(text, parameters).await?;
        let row = answer.first().and_then(|rows| rows.first()).ok_or(ServerError::Answer)?;
        row.try_get(0)?.ok_or(ServerError::Answer)
    }

    /// Waits until no writer stands in the turnstile.
    async fn pass(&self, key: &Key, limit: Duration) -> Result<bool, ServerError> {
        let Some(turnstile) = Server::turnstile(key) else { return Ok(true) };
        let passed = self.number(statement::PASS, &[&turnstile.as_str(), &millis(limit)]).await;
        // It may stand there itself now.
        self.is_ended.set(self.is_ended.get() || passed.is_err());
        granted(passed?)
    }

    async fn get(&self, key: &Key, mode: Mode, limit: Duration) -> Result<bool, ServerError> {
        let (mode, millis) = (mode.name(), millis(limit));
        let code = self.number(statement::WAIT, &[&key.as_str(), &mode, &millis]).await?;
        if millis == 0 && code == code::REFUSED { Ok(false) } else { granted(code) }
    }
}

impl dlock_locks::Session for ServerSession {
    type Key = Key;
    type Error = ServerError;

    fn server(&self) -> &str {
        &self.server
    }

    fn has_lease(&self) -> bool {
        false
    }

    async fn run(&self, asks: &[Ask<Key>]) -> Result<Vec<bool>, ServerError> {
        let text = BatchText::new(asks, |key| self.upgraded.borrow().contains(key));
        let names = Vec::from_iter(text.names.iter().map(|name| &**name));
        let parameters = Vec::from_iter(names.iter().map(|name| name as &dyn ToSql));
        let answer = self.ask(&text.text, &parameters).await?;
        let row = answer.first().and_then(|rows| rows.first()).ok_or(ServerError::Answer)?;
        let mut truths = vec![false; asks.len()];
        for (column, place) in text.places.iter().enumerate() {
            let code = row.try_get(column)?.ok_or(ServerError::Answer)?;
            truths[*place] = match asks[*place].what {
                // Not every server says of a busy name that the time was over, where there is none.
                What::Try => code != code::REFUSED && granted(code)?,
                What::Release => code == 0,
                What::Undo => true,
            };
        }
        for ask in asks {
            self.upgraded.borrow_mut().remove(&ask.key);
        }
        Ok(truths)
    }

    async fn wait(
        &self,
        key: &Key,
        mode: dlock_locks::Mode,
        limit: Duration,
    ) -> Result<bool, ServerError> {
        let (mode, begun) = (Mode::from(mode), Instant::now());
        if mode == Mode::Shared && !self.pass(key, limit).await? {
            return Ok(false);
        }
        self.get(key, mode, limit.saturating_sub(begun.elapsed())).await
    }

    async fn convert(
        &self,
        key: &Key,
        _: dlock_locks::Mode,
        to: dlock_locks::Mode,
        limit: Duration,
    ) -> Result<bool, ServerError> {
        let granted = self.get(key, Mode::from(to), limit).await?;
        if granted {
            self.upgraded.borrow_mut().insert(key.clone());
        }
        Ok(granted)
    }

    async fn ping(&self) -> Result<(), ServerError> {
        self.ask(statement::PING, &[]).await?;
        Ok(())
    }

    fn is_ended(&self) -> bool {
        self.is_ended.get()
    }

    async fn ended(&self) {
        while !self.is_ended.get() {
            // While a statement runs, what comes is its answer.
            drop(self.client.lock().await);
            let is_over = self.wire.stirs().await;
            // What comes unasked would be taken for the next answer.
            self.is_ended.set(self.is_ended.get() || is_over || self.client.try_lock().is_ok());
        }
    }

    /// A closed socket frees an idle session's keys at once, and takes one that waits for a lock out of the
    /// queue.
    async fn end(self) {}
}

/// What the first statement tells of a session.
pub(crate) struct Look {
    /// Which running server, and which database of it.
    pub(crate) server: String,
    pub(crate) database: String,
    pub(crate) number: i32,
    pub(crate) is_read_only: bool,
}

impl Look {
    pub(crate) fn of(row: Option<Row>) -> Result<Self, ServerError> {
        let row = row.ok_or(ServerError::Answer)?;
        let text = |column: &str| row.try_get::<&str, _>(column).map(Option::unwrap_or_default);
        let (name, started) = (text("dlock_server")?, text("dlock_started")?);
        let database = text("dlock_database")?.to_owned();
        let server = format!("{name} {started} {database}");
        let number = row.try_get("dlock_number")?.ok_or(ServerError::Answer)?;
        let is_read_only = text("dlock_updateability")? == "READ_ONLY";
        Ok(Self { server, database, number, is_read_only })
    }
}

fn granted(code: i32) -> Result<bool, ServerError> {
    match code {
        0 | 1 => Ok(true),
        code::TIMED_OUT | code::DEADLOCK => Ok(false),
        code => Err(ServerError::Refused(code)),
    }
}

/// As the procedure takes it: in milliseconds, rounded up.
fn millis(limit: Duration) -> i32 {
    i32::try_from(Wait::millis(limit)).unwrap_or(i32::MAX)
}

impl From<dlock_locks::Mode> for Mode {
    fn from(mode: dlock_locks::Mode) -> Self {
        match mode {
            dlock_locks::Mode::Shared => Mode::Shared,
            dlock_locks::Mode::Update => Mode::Update,
            // No other can be asked for here.
            _ => Mode::Exclusive,
        }
    }
}

impl fmt::Debug for ServerSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerSession").field("server", &self.server).finish_non_exhaustive()
    }
}
