use super::Session;
use super::queue::Queue;
use super::table::Table;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A database made of memory.
#[derive(Clone, Debug, Default)]
pub struct Database {
    table: Arc<Mutex<Table>>,
}

impl Database {
    /// An empty one.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A new session.
    #[must_use]
    pub fn connect(&self) -> Session {
        let id = self.table().connect();
        Session::new(self.clone(), id)
    }

    /// How many sessions hold the key.
    #[must_use]
    pub fn holders(&self, key: &str) -> usize {
        self.table().queue(key).map_or(0, Queue::holders)
    }

    /// How many requests wait for the key.
    #[must_use]
    pub fn waiters(&self, key: &str) -> usize {
        self.table().queue(key).map_or(0, Queue::waiters)
    }

    /// Ends the sessions that hold or await the key, all at once.
    pub fn kill(&self, key: &str) {
        let mut table = self.table();
        let ended: Vec<_> = table.queue(key).into_iter().flat_map(Queue::sessions).collect();
        table.end(&ended);
    }

    /// The table stays sound when a test panics.
    pub(super) fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
