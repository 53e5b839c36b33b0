//! Who holds what this process waits for, told while it waits.

use crate::driver::{Driver, Session, SessionOptions};
use crate::engine::Engine;
use crate::model::{LongWait, Moment};
use crate::{Holder, InspectDriver, LocksBuilder};
use dlock_core::{GRACE, within};
use std::fmt::Write;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::{JoinHandle, spawn_local};
use tracing::{Level, debug, enabled};

/// How long a wait is when it is first told of, and how often it is then.
const PERIOD: Duration = Duration::from_secs(1);
/// How many keys are told of at a time: those that are waited for longest.
const KEYS: usize = 16;

/// Work on the engine's thread.
type Looking = Pin<Box<dyn Future<Output = ()>>>;

/// Asks the server who holds these keys, and tells it.
pub(crate) type Look<D> = fn(Arc<D>, SessionOptions, Vec<LongWait<<D as Driver>::Key>>) -> Looking;

/// When it was looked, and will be.
#[derive(Debug)]
pub(crate) struct Progress<D: Driver> {
    look: Look<D>,
    next: Moment,
    looking: Option<JoinHandle<()>>,
}

impl<D: Driver> Progress<D> {
    pub(crate) fn new(look: Look<D>) -> Self {
        Self { look, next: Moment::ZERO, looking: None }
    }

    pub(crate) fn next(&self) -> Moment {
        self.next
    }

    fn is_looking(&self) -> bool {
        self.looking.as_ref().is_some_and(|looking| !looking.is_finished())
    }
}

impl<D: InspectDriver> LocksBuilder<D> {
    /// Whether waits of more than a second are told of by `tracing`, at debug level, once a second: for which
    /// key, by how many in this process, for how long, and who holds it. Off unless said: each time, one more
    /// session is opened for a moment, where somebody listens. Of many keys, the 16 that are waited for
    /// longest are told of.
    ///
    /// # Examples
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let database = dlock_db::memory::Database::new();
    /// let locks = database.builder().progress(true).build()?;
    /// # drop(locks);
    /// # Ok(())
    /// # }
    /// ```
    pub fn progress(self, is_told: bool) -> Self {
        self.with_progress(is_told.then_some(look::<D> as Look<D>))
    }
}

impl<D: Driver> Engine<D> {
    /// Tells of long waits, where that is asked for and due.
    pub(crate) fn tell_progress(&mut self, now: Moment) {
        let Some(progress) = &mut self.progress else { return };
        if now < progress.next || self.requests.is_empty() {
            return;
        }
        progress.next = now + PERIOD;
        if progress.is_looking() || !enabled!(Level::DEBUG) {
            return;
        }
        let waits = self.model.long_waits(PERIOD, KEYS);
        if !waits.is_empty() {
            let looking = (progress.look)(Arc::clone(&self.driver), self.options.clone(), waits);
            progress.looking = Some(spawn_local(looking));
        }
    }
}

fn look<D: InspectDriver>(
    driver: Arc<D>,
    options: SessionOptions,
    waits: Vec<LongWait<D::Key>>,
) -> Looking {
    Box::pin(async move {
        // What cannot be asked stays untold; it is asked again.
        let Some(Ok(session)) = within(GRACE, driver.open(&options)).await else { return };
        for wait in &waits {
            let holders = within(GRACE, D::holders(&session, Some(&wait.key))).await;
            tell::<D>(wait, holders.and_then(Result::ok));
        }
        let _ = within(GRACE, session.end()).await;
    })
}

fn tell<D: Driver>(wait: &LongWait<D::Key>, holders: Option<Vec<Holder<D::Key>>>) {
    let by = holders.map_or_else(|| "unknown".to_owned(), |holders| names(&holders));
    debug!(
        db.system.name = D::SYSTEM,
        key = %wait.key,
        waiters = wait.waiters,
        waited_ms = u64::try_from(wait.longest.as_millis()).unwrap_or(u64::MAX),
        holders = %by,
        "still waiting for a lock"
    );
}

/// Those who hold, as far as the server shows them.
pub(crate) fn names<K>(holders: &[Holder<K>]) -> String {
    let mut names = String::new();
    for holder in holders.iter().filter(|holder| !holder.is_waiting) {
        let comma = if names.is_empty() { "" } else { ", " };
        let known = [("user", &holder.user), ("host", &holder.host), ("as", &holder.application)];
        // Writing to a string cannot fail.
        let _ = write!(names, "{comma}session {}", holder.session);
        for (what, value) in known {
            if let Some(value) = value {
                let _ = write!(names, " {what} {value}");
            }
        }
    }
    names
}
