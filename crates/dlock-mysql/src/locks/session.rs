use super::batch::{Batch, batches, truths};
use super::fence;
use super::prepared::Prepared;
use crate::acquire::read;
use crate::answer::{Answer, Said, is_alive, meaning, said};
use crate::release::kill_until_gone;
use crate::session::{poison, reconnect};
use crate::statement::{self, Statements, millis};
use crate::{Error, Key};
use dlock_core::{Deadline, Wait};
use dlock_locks::{Ask, Mode, What};
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Opts};
use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::fmt;
use std::time::{Duration, Instant};
use tokio::sync::{Mutex, MutexGuard};

/// A session of [`Locks`](super::Locks).
pub struct ServerSession {
    /// One statement at a time; nobody else has it.
    conn: Mutex<Conn>,
    opts: Opts,
    since: Instant,
    /// The number by which the server itself knows it.
    id: u64,
    is_mariadb: bool,
    server: String,
    has_lease: bool,
    /// The longest statement that the server takes, in bytes.
    packet: usize,
    /// What it holds, by the answers so far, as it was asked for.
    held: RefCell<HashSet<Key>>,
    is_ended: Cell<bool>,
    prepared: Prepared,
}

impl ServerSession {
    /// Cleans a session that was just opened, and has it end when it was silent for so long.
    pub(super) async fn new(mut conn: Conn, opts: Opts, lease: Duration) -> Result<Self, Error> {
        let since = Instant::now();
        let is_mariadb = conn.server_version().0 >= 10;
        // Rounded up: until then the lock is trusted.
        let seconds = Wait::millis(lease).div_ceil(1000);
        let (id, taken, packet, server) = begin(&mut conn, is_mariadb, seconds).await?;
        let (conn, has_lease) = (Mutex::new(conn), taken == seconds);
        let (held, is_ended, prepared) = Default::default();
        Ok(Self {
            conn,
            opts,
            since,
            id,
            is_mariadb,
            server,
            has_lease,
            packet,
            held,
            is_ended,
            prepared,
        })
    }

    pub(super) async fn conn(&self) -> MutexGuard<'_, Conn> {
        self.conn.lock().await
    }

    pub(super) fn id(&self) -> u64 {
        self.id
    }

    pub(super) fn is_mariadb(&self) -> bool {
        self.is_mariadb
    }

    /// What an error means; it may be the session's end.
    fn failed(&self, error: mysql_async::Error) -> Error {
        self.is_ended.set(self.is_ended.get() || !is_alive(&error));
        meaning(error)
    }

    async fn run_batch(&self, batch: &Batch) -> Result<Vec<bool>, Error> {
        let mut conn = self.conn().await;
        let digits: Option<Option<String>> =
            conn.query_first(&batch.text).await.map_err(|error| self.failed(error))?;
        let truths = truths(&digits.flatten().unwrap_or_default())?;
        let is_whole = truths.len() == batch.asks.len();
        is_whole.then_some(truths).ok_or(Error::Interrupted(None))
    }

    /// `None`: it is to be asked for by a text.
    async fn run_prepared(&self, ask: &Ask<Key>) -> Result<Option<bool>, Error> {
        let mut conn = self.conn().await;
        let digit = self.prepared.run(&mut conn, self.is_mariadb, ask).await;
        if digit.as_ref().is_err_and(|error| said(error) == Some(Said::NotPrepared)) {
            // It did not run: what stands between has lost it, and would lose the next.
            self.prepared.give_up();
            return Ok(None);
        }
        let Some(digit) = digit.map_err(|error| self.failed(error))? else { return Ok(None) };
        match truths(&digit)?[..] {
            [truth] => Ok(Some(truth)),
            _ => Err(Error::Interrupted(None)),
        }
    }

    async fn run_all(&self, asks: &[Ask<Key>]) -> Result<Vec<bool>, Error> {
        if let [ask] = asks
            && ask.what != What::Undo
            && let Some(truth) = self.run_prepared(ask).await?
        {
            return Ok(vec![truth]);
        }
        let mut all = vec![false; asks.len()];
        let batches = batches(asks, self.is_mariadb, &self.held.borrow(), self.packet);
        for batch in batches {
            let truths = self.run_batch(&batch).await?;
            batch.asks.iter().zip(truths).for_each(|(ask, truth)| all[*ask] = truth);
        }
        Ok(all)
    }

    /// Keeps in mind what was granted; of what was not answered nothing is known.
    fn keep(&self, asks: &[Ask<Key>], answered: Option<&Vec<bool>>) {
        let mut held = self.held.borrow_mut();
        for (number, ask) in asks.iter().enumerate() {
            match answered.is_some_and(|all| all[number]) && ask.what == What::Try {
                true => held.insert(ask.key.clone()),
                false => held.remove(&ask.key),
            };
        }
    }
}

/// Its number, its `wait_timeout` in seconds, its longest packet in bytes, and the server.
async fn begin(
    conn: &mut Conn,
    is_mariadb: bool,
    seconds: u64,
) -> Result<(u64, u64, usize, String), Error> {
    let clean = statement::open::clean(is_mariadb, seconds);
    conn.query_drop(clean).await.map_err(meaning)?;
    conn.query_drop(statement::open::READ_WRITE).await.map_err(meaning)?;
    let looked = conn.query_first(statement::open::look(is_mariadb)).await.map_err(meaning)?;
    looked.ok_or(Error::Setup { advice: NO_ANSWER, source: None })
}

const NO_ANSWER: &str = "connect to a MySQL or MariaDB server: this one does not say who it is";

impl dlock_locks::Session for ServerSession {
    type Key = Key;
    type Error = Error;

    fn server(&self) -> &str {
        &self.server
    }

    fn has_lease(&self) -> bool {
        self.has_lease
    }

    async fn run(&self, asks: &[Ask<Key>]) -> Result<Vec<bool>, Error> {
        let answered = self.run_all(asks).await;
        self.keep(asks, answered.as_ref().ok());
        answered
    }

    async fn wait(&self, key: &Key, _mode: Mode, limit: Duration) -> Result<bool, Error> {
        let wait = Wait::from(limit);
        let text = Statements::new(self.is_mariadb, key).acquire(millis(wait.normal()));
        let (mut conn, end) = (self.conn().await, Deadline::new(wait));
        let answer: Answer = conn.query_first(&text).await;
        self.is_ended.set(answer.as_ref().is_err_and(|error| !is_alive(error)));
        let granted = read(Some(answer), &end).answer.map_err(|error| *error)?;
        if granted {
            self.held.borrow_mut().insert(key.clone());
        }
        Ok(granted)
    }

    async fn raise(&self, key: &Key, limit: Duration) -> Result<Option<u64>, Error> {
        let mut conn = self.conn().await;
        let raised = fence::raise(&mut conn, key, limit).await;
        raised.map_err(|error| fence::meaning(error, |error| self.failed(error)))
    }

    async fn ping(&self) -> Result<(), Error> {
        self.conn().await.ping().await.map_err(|error| self.failed(error))
    }

    fn is_ended(&self) -> bool {
        self.is_ended.get()
    }

    /// An idle session that says goodbye frees its keys at once. The server looks at nothing else while a
    /// statement runs, so one of which the answer is missing is killed from a second connection. Where none can
    /// be had, the statement is a short one: no session of this kind waits for long.
    async fn end(self) {
        let mut conn = self.conn.into_inner();
        if !self.is_ended.get() && !conn.is_disconnected() {
            // What it says on the way out changes nothing: it is closed.
            let _ = conn.disconnect().await;
            return;
        }
        poison(&mut conn);
        drop(conn);
        let connected = reconnect(self.opts, self.since, Some(self.id), &self.server).await;
        if let Ok((mut conn, Some(id))) = connected {
            let _ = kill_until_gone(&mut conn, id).await;
            let _ = conn.disconnect().await;
        }
    }
}

impl fmt::Debug for ServerSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerSession")
            .field("server", &self.server)
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
