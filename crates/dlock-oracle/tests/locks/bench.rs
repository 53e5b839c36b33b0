//! A database with an observer, and what every case does there.

use crate::place::{Place, count, sessions};
use dlock_oracle::{Key, Locks, Server};
use oracle::{Connection, Connector};
use std::time::{Duration, Instant};

/// Nothing that is to happen may take longer.
const PATIENCE: Duration = Duration::from_secs(20);

/// The shortest lease there is.
pub(crate) const LEASE: Duration = Duration::from_secs(3);

/// A database, and eyes on it.
pub(crate) struct Bench {
    /// What its sessions are called, and nobody else's.
    pub(crate) name: String,
    pub(crate) place: Place,
    pub(crate) observer: Connection,
}

impl Bench {
    /// The real database, or a simulated one of this name.
    pub(crate) fn new(name: &str) -> Self {
        let place = Place::named(&format!("locks {name}"));
        Self { name: format!("dlock {name}"), observer: place.connect(), place }
    }

    pub(crate) fn connector(&self) -> Connector {
        let (user, password) = self.place.credentials();
        Connector::new(user, password, &*self.place.database)
    }

    /// What a process has.
    pub(crate) fn locks(&self) -> Locks {
        self.locks_over(self.connector())
    }

    pub(crate) fn locks_over(&self, server: impl Into<Server>) -> Locks {
        Locks::builder(server).lease(LEASE).name(&*self.name).build().expect("a thread")
    }

    /// Holders and waiters.
    pub(crate) fn seen(&self, key: impl Into<Key>) -> (usize, usize) {
        count(&self.observer, key.into().id())
    }

    /// Waits until the server shows as many holders and waiters.
    pub(crate) async fn until(&self, key: impl Into<Key>, seen: (usize, usize)) -> Duration {
        let (key, start) = (key.into(), Instant::now());
        while self.seen(key.clone()) != seen {
            assert!(start.elapsed() < PATIENCE, "{:?}, not {seen:?}", self.seen(key));
            dlock_core::sleep(Duration::from_millis(2)).await;
        }
        start.elapsed()
    }

    pub(crate) fn run(&self, text: &str) {
        self.observer.execute(text, &[]).unwrap_or_else(|error| panic!("{text}: {error}"));
    }

    /// Ends the sessions that hold or await the key, by `ALTER SYSTEM KILL` or `DISCONNECT`.
    pub(crate) fn end_sessions(&self, how: &str, key: &str) {
        for session in sessions(&self.observer, Key::from(key).id()) {
            self.run(&format!("alter system {how} session '{session}' immediate"));
        }
    }
}
