//! Which keys are held, or waited for, over which client of this process.
//!
//! PostgreSQL counts re-entry silently, and asking `pg_locks` takes every lock partition of the
//! server. So this process keeps book: two short critical sections per lock and no round trip.

use crate::Key;
use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio_postgres::Client;

static HELD: Mutex<BTreeSet<(usize, Key)>> = Mutex::new(BTreeSet::new());

/// A key that is taken over a client, until this is dropped.
///
/// The client's address is its name: it cannot move or end while a lock over it is held, since the
/// lock borrows it, shares it, or keeps it in a box.
#[derive(Debug)]
pub(crate) struct Entry {
    client: usize,
    key: Key,
}

impl Entry {
    /// Takes the key, unless it is taken over the same client.
    pub(crate) fn take(client: &Client, key: Key) -> Option<Self> {
        let client = std::ptr::from_ref(client).addr();
        let is_new = held().insert((client, key));
        is_new.then(|| Self { client, key })
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        held().remove(&(self.client, self.key));
    }
}

fn held() -> MutexGuard<'static, BTreeSet<(usize, Key)>> {
    HELD.lock().unwrap_or_else(PoisonError::into_inner)
}
