//! Connections on which fenced transactions begin.

use crate::locks::Leased;
use crate::{Database, Ended, Key};
use dlock_locks::{FencedConnection, FencedDriver};
use std::time::Duration;

/// A connection of a test's own, for [`Held::begin`](dlock_locks::Held::begin), by
/// [`Database::connection`]. It stores nothing: what a transaction would write, the test keeps itself.
#[derive(Debug)]
pub struct Connection {
    database: Database,
}

impl Connection {
    pub(crate) fn new(database: Database) -> Self {
        Self { database }
    }
}

/// A transaction behind the fence of a lock that is held. Dropped, it is rolled back.
#[derive(Debug)]
#[must_use = "it is rolled back when it is dropped"]
pub struct Transaction<'c> {
    connection: &'c mut Connection,
    number: u64,
}

impl Transaction<'_> {
    /// Whether the server has not ended it: it does when a transaction was idle for 30 seconds.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.connection.database.table().fences.is_open(self.number)
    }

    /// Ends it: what it wrote counts.
    ///
    /// # Errors
    /// [`Ended`] where the server had ended it before: it was rolled back.
    ///
    /// # Cancel safety
    /// Dropped, it is rolled back.
    pub async fn commit(self) -> Result<(), Ended> {
        self.connection.database.is_awake().await;
        match self.connection.database.table().fences.end(self.number) {
            true => Ok(()),
            false => Err(Ended),
        }
    }

    /// Ends it: what it wrote does not count.
    ///
    /// # Errors
    /// As [`commit`](Self::commit).
    ///
    /// # Cancel safety
    /// Dropped, it is rolled back.
    pub async fn rollback(self) -> Result<(), Ended> {
        self.commit().await
    }
}

impl Drop for Transaction<'_> {
    fn drop(&mut self) {
        self.connection.database.table().fences.end(self.number);
    }
}

/// There are no tables to be made: `setup` does nothing.
impl FencedDriver for Database {
    const DDL: &'static str = "";

    async fn setup(session: &Leased) -> Result<(), Ended> {
        session.0.arrive().await;
        session.0.return_trip().await;
        Ok(())
    }
}

impl FencedConnection<Database> for Connection {
    type Transaction<'c> = Transaction<'c>;

    async fn begin<'c>(
        &'c mut self,
        key: &Key,
        token: u64,
        idle: Duration,
    ) -> Result<Option<Transaction<'c>>, Ended> {
        self.database.is_awake().await;
        let begun = self.database.table().fences.begin(key, token, idle);
        Ok(begun.map(|number| Transaction { connection: self, number }))
    }
}
