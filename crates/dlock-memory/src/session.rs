use crate::fences::Fences;
use crate::life::Life;
use crate::table::{Reply, SessionId};
use crate::waiting::outcome;
use crate::{Database, Error, Lock, Memory, Mode};
use dlock_core::Wait;
use std::fmt;
use std::future::pending;
use std::sync::Arc;
use tokio::task::yield_now;

/// The session was ended: what this database says instead of answering.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the session was ended")]
pub struct Ended;

/// A session of a [`Database`]. Dropping it ends it.
pub struct Session {
    database: Database,
    id: SessionId,
    /// Whether a statement over `&mut` was begun whose answer was not read.
    midway: bool,
    /// Whether the server is to keep it.
    is_left: bool,
}

impl Session {
    pub(crate) fn new(database: Database, id: SessionId) -> Self {
        Self { database, id, midway: false, is_left: false }
    }

    pub(crate) fn number(&self) -> SessionId {
        self.id
    }

    /// Whether it was ended.
    #[must_use]
    pub fn is_ended(&self) -> bool {
        !self.database.table().is_live(self.id)
    }

    /// The number, if the session is still there.
    ///
    /// # Errors
    /// [`Ended`] otherwise.
    ///
    /// # Cancel safety
    /// May be dropped at any time.
    pub async fn echo(&self, number: i64) -> Result<i64, Ended> {
        yield_now().await;
        if self.is_ended() { Err(Ended) } else { Ok(number) }
    }

    /// The same as a driver does it that takes `&mut`: dropped midway, the session is out of step.
    ///
    /// # Errors
    /// [`Ended`] when it was ended.
    ///
    /// # Cancel safety
    /// Dropped midway, the session is out of step: that is what it is for.
    pub async fn exclusive_echo(&mut self, number: i64) -> Result<i64, Ended> {
        self.midway = true;
        let answer = self.echo(number).await;
        self.midway = false;
        answer
    }

    /// Whether the next answer would be somebody else's.
    #[must_use]
    pub fn is_out_of_step(&self) -> bool {
        self.midway
    }

    pub(crate) fn database(&self) -> &Database {
        &self.database
    }

    pub(crate) fn ask(&self, key: &str, mode: Mode, waits: bool) -> Reply {
        self.database.table().ask(self.id, key, mode, waits)
    }

    /// Asks for a key. `false`: the wait ran out, or the key is held elsewhere and there was none.
    ///
    /// # Errors
    /// As the locks over it say.
    ///
    /// # Cancel safety
    /// Dropped, it leaves the queue; what was granted before stays held.
    pub async fn acquire(&self, key: &str, mode: Mode, wait: Wait) -> Result<bool, Error> {
        outcome(self, key, wait, self.ask(key, mode, wait != Wait::No)).await
    }

    /// Completes when a statement has come to the server: not while it stands still, and never when the
    /// session was cut off.
    pub(crate) async fn arrive(&self) {
        yield_now().await;
        self.database.is_awake().await;
        let is_cut = self.database.table().live.get_mut(&self.id).is_some_and(Life::says);
        if is_cut {
            pending::<()>().await;
        }
    }

    /// Completes when the answer is back: never when the session was cut off.
    pub(crate) async fn return_trip(&self) {
        yield_now().await;
        let is_cut = self.database.table().live.get(&self.id).is_some_and(Life::is_cut);
        if is_cut {
            pending::<()>().await;
        }
    }

    /// The client goes. What was cut off stays with the server, until its lease is over.
    pub(crate) fn leave(mut self) {
        self.is_left = self.database.table().live.get(&self.id).is_some_and(Life::is_cut);
    }

    /// Completes when it was ended, and that could be heard.
    pub(crate) async fn ended(&self) {
        let end = self.database.table().live.get(&self.id).map(Life::end);
        let Some(mut end) = end else { return };
        while end.changed().await.is_ok() {}
        if *end.borrow() {
            pending::<()>().await;
        }
    }

    /// Lets go of a key. `false`: this session did not hold it.
    ///
    /// # Errors
    /// [`Ended`] when it was ended.
    pub fn release(&self, key: &str) -> Result<bool, Ended> {
        let mut table = self.database.table();
        if table.is_live(self.id) { Ok(table.release(self.id, key)) } else { Err(Ended) }
    }

    /// Does something about fences, as long as the session lives.
    pub(crate) fn fences<T>(&self, change: impl FnOnce(&mut Fences) -> T) -> Result<T, Ended> {
        let mut table = self.database.table();
        if table.is_live(self.id) { Ok(change(&mut table.fences)) } else { Err(Ended) }
    }

    pub(crate) fn withdraw(&self, key: &str, ticket: u64) -> bool {
        self.database.table().withdraw(key, ticket)
    }
}

impl dlock_core::Session<Memory> for Session {
    type Lock = Lock<Self>;
}

impl dlock_core::Session<Memory> for &Session {
    type Lock = Lock<Self>;
}

impl dlock_core::Session<Memory> for Arc<Session> {
    type Lock = Lock<Self>;
}

impl Drop for Session {
    fn drop(&mut self) {
        if !self.is_left {
            self.database.table().end(&[self.id]);
        }
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Session").field(&self.id).finish()
    }
}
