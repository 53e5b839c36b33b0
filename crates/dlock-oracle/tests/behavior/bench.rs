//! A database with an observer, and what every case does there.

use crate::place::{Place, count, sessions};
use dlock_oracle::{Key, Lock};
use oracle::Connection;
use oracle::pool::Pool;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Nothing that is to happen may take longer.
const PATIENCE: Duration = Duration::from_secs(10);

/// A database, and eyes on it.
pub(crate) struct Bench {
    place: Place,
    pub(crate) observer: Connection,
}

impl Bench {
    /// The real database, or a simulated one of this name.
    pub(crate) fn new(name: &str) -> Self {
        let place = Place::named(name);
        Self { observer: place.connect(), place }
    }

    pub(crate) fn connect(&self) -> Connection {
        self.place.connect()
    }

    pub(crate) fn pool(&self) -> Pool {
        self.place.pool()
    }

    pub(crate) fn shared(&self) -> Arc<Connection> {
        Arc::new(self.connect())
    }

    pub(crate) fn lock(&self, key: &str) -> Lock {
        Lock::new(self.connect(), key).expect("any text is a key")
    }

    /// Holders and waiters.
    pub(crate) fn seen(&self, key: &str) -> (usize, usize) {
        count(&self.observer, Key::from(key).id())
    }

    /// Waits until the server shows as many holders and waiters.
    pub(crate) async fn until(&self, key: &str, seen: (usize, usize)) -> Duration {
        let start = Instant::now();
        while self.seen(key) != seen {
            assert!(start.elapsed() < PATIENCE, "{:?}, not {seen:?}", self.seen(key));
            dlock_core::sleep(Duration::from_millis(2)).await;
        }
        start.elapsed()
    }

    pub(crate) fn run(&self, text: &str) {
        run(&self.observer, text);
    }

    /// Ends the sessions that hold or await the key, by `ALTER SYSTEM KILL` or `DISCONNECT`.
    pub(crate) fn end_sessions(&self, how: &str, key: &str) {
        for session in sessions(&self.observer, Key::from(key).id()) {
            self.run(&format!("alter system {how} session '{session}' immediate"));
        }
    }
}

pub(crate) fn run(connection: &Connection, text: &str) {
    connection.execute(text, &[]).unwrap_or_else(|error| panic!("{text}: {error}"));
}

/// A statement of the caller's, and its own answer.
pub(crate) fn echo(connection: &Connection, number: i64) {
    let answer = connection.query_row_as::<i64>("select :1 from dual", &[&number]);
    assert_eq!(answer.expect("a statement of the caller's"), number);
}
