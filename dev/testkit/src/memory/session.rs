use super::table::{Reply, SessionId};
use super::{Database, Mode};
use std::fmt;
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
}

impl Session {
    pub(super) fn new(database: Database, id: SessionId) -> Self {
        Self { database, id, midway: false }
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
    pub async fn echo(&self, number: i64) -> Result<i64, Ended> {
        yield_now().await;
        if self.is_ended() { Err(Ended) } else { Ok(number) }
    }

    /// The same as a driver does it that takes `&mut`: dropped midway, the session is out of step.
    ///
    /// # Errors
    /// [`Ended`] when it was ended.
    pub async fn exclusive_echo(&mut self, number: i64) -> Result<i64, Ended> {
        self.midway = true;
        let answer = self.echo(number).await;
        self.midway = false;
        answer
    }

    /// Whether the next answer would be somebody else's.
    pub(super) fn is_out_of_step(&self) -> bool {
        self.midway
    }

    pub(super) fn ask(&self, key: &str, mode: Mode, waits: bool) -> Reply {
        self.database.table().ask(self.id, key, mode, waits)
    }

    /// Lets go of a key. `false`: this session did not hold it.
    pub(super) fn release(&self, key: &str) -> Result<bool, Ended> {
        let mut table = self.database.table();
        if table.is_live(self.id) { Ok(table.release(self.id, key)) } else { Err(Ended) }
    }

    pub(super) fn withdraw(&self, key: &str, ticket: u64) -> bool {
        self.database.table().withdraw(key, ticket)
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.database.table().end(&[self.id]);
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Session").field(&self.id).finish()
    }
}
