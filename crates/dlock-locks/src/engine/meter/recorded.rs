use super::Levels;
use crate::{Error, LostReason};
use metrics::{Counter, Gauge, Histogram, Unit, counter, gauge, histogram};
use metrics::{describe_counter, describe_gauge, describe_histogram};
use std::fmt;
use std::future::Future;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// How a call for a lock ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Outcome {
    Granted,
    TimedOut,
    Error,
    Dropped,
}

impl Outcome {
    const ALL: [Self; 4] = [Self::Granted, Self::TimedOut, Self::Error, Self::Dropped];

    fn label(self) -> &'static str {
        match self {
            Self::Granted => "granted",
            Self::TimedOut => "timed_out",
            Self::Error => "error",
            Self::Dropped => "dropped",
        }
    }

    fn of<T, E>(answer: &Result<T, Error<E>>) -> Self {
        match answer {
            Ok(_) => Self::Granted,
            Err(Error::TimedOut { .. }) => Self::TimedOut,
            Err(_) => Self::Error,
        }
    }
}

/// Why a hold can be lost.
const REASONS: [LostReason; 4] =
    [LostReason::SessionEnded, LostReason::Silent, LostReason::NotHeld, LostReason::Closed];

fn label(reason: LostReason) -> &'static str {
    match reason {
        LostReason::SessionEnded => "session_ended",
        LostReason::Silent => "silent",
        LostReason::NotHeld => "not_held",
        LostReason::Fenced => "fenced",
        LostReason::Closed => "closed",
        LostReason::Ended => "ended",
    }
}

/// The metrics of one factory of locks, with the recorder that was there when it was built.
pub(crate) struct Meter {
    acquires: [(Counter, Histogram); 4],
    waiters: Gauge,
    held: Gauge,
    serving: Gauge,
    waiting: Gauge,
    losses: [Counter; 4],
    reconnects: Counter,
    failures: Counter,
    /// What was told last: several factories add up.
    levels: Mutex<Levels>,
}

/// The labels of one factory's metrics.
#[derive(Clone)]
struct Labels([(&'static str, String); 2]);

impl Labels {
    /// These and one more.
    fn and(&self, label: &'static str, value: &str) -> [(&'static str, String); 3] {
        let [system, name] = self.0.clone();
        [system, name, (label, value.to_owned())]
    }

    fn sessions(&self, role: &str) -> Gauge {
        gauge!("dlock_sessions", &self.and("role", role))
    }

    fn losses(&self, reason: LostReason) -> Counter {
        counter!("dlock_losses_total", &self.and("reason", label(reason)))
    }

    fn acquires(&self, outcome: Outcome) -> (Counter, Histogram) {
        let labels = self.and("outcome", outcome.label());
        let times = histogram!("dlock_acquire_seconds", &labels);
        (counter!("dlock_acquires_total", &labels), times)
    }
}

impl Meter {
    pub(crate) fn new(system: &'static str, name: &str) -> Self {
        describe();
        let labels = Labels([("system", system.to_owned()), ("name", name.to_owned())]);
        Self {
            acquires: Outcome::ALL.map(|outcome| labels.acquires(outcome)),
            waiters: gauge!("dlock_waiters", &labels.0),
            held: gauge!("dlock_held", &labels.0),
            serving: labels.sessions("serving"),
            waiting: labels.sessions("waiting"),
            losses: REASONS.map(|reason| labels.losses(reason)),
            reconnects: counter!("dlock_reconnects_total", &labels.0),
            failures: counter!("dlock_connect_failures_total", &labels.0),
            levels: Mutex::default(),
        }
    }

    /// Counts a call for a lock, however it ends.
    pub(crate) async fn acquire<T, E>(
        &self,
        acquiring: impl Future<Output = Result<T, Error<E>>>,
    ) -> Result<T, Error<E>> {
        let mut call = Call::begin(self);
        let answer = acquiring.await;
        call.outcome = Outcome::of(&answer);
        answer
    }

    pub(crate) fn lost(&self, reason: LostReason) {
        if let Some(at) = REASONS.iter().position(|it| *it == reason) {
            self.losses[at].increment(1);
        }
    }

    pub(crate) fn reconnected(&self) {
        self.reconnects.increment(1);
    }

    pub(crate) fn not_connected(&self) {
        self.failures.increment(1);
    }

    pub(crate) fn set_levels(&self, levels: impl FnOnce() -> Levels) {
        let mut last = self.levels.lock().unwrap_or_else(PoisonError::into_inner);
        let now = levels();
        shift(&self.held, last.held, now.held);
        shift(&self.serving, last.serving, now.serving);
        shift(&self.waiting, last.waiting, now.waiting);
        *last = now;
    }
}

impl fmt::Debug for Meter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Meter").field("levels", &self.levels).finish_non_exhaustive()
    }
}

/// What a factory has no more, others may have still.
fn shift(gauge: &Gauge, from: usize, to: usize) {
    let step = |count: usize| f64::from(u32::try_from(count).unwrap_or(u32::MAX));
    if to > from {
        gauge.increment(step(to - from));
    } else if to < from {
        gauge.decrement(step(from - to));
    }
}

/// A call that is under way. Dropped, it is counted.
struct Call<'a> {
    meter: &'a Meter,
    since: Instant,
    outcome: Outcome,
}

impl<'a> Call<'a> {
    fn begin(meter: &'a Meter) -> Self {
        meter.waiters.increment(1);
        Self { meter, since: Instant::now(), outcome: Outcome::Dropped }
    }
}

impl Drop for Call<'_> {
    fn drop(&mut self) {
        let at = Outcome::ALL.iter().position(|it| *it == self.outcome).unwrap_or_default();
        let (count, waits) = &self.meter.acquires[at];
        count.increment(1);
        waits.record(self.since.elapsed());
        self.meter.waiters.decrement(1);
    }
}

fn describe() {
    describe_counter!("dlock_acquires_total", Unit::Count, "Calls for a lock that are over");
    describe_histogram!("dlock_acquire_seconds", Unit::Seconds, "How long such a call took");
    describe_gauge!("dlock_waiters", Unit::Count, "Calls for a lock that are under way");
    describe_gauge!("dlock_held", Unit::Count, "Keys that are held");
    describe_gauge!("dlock_sessions", Unit::Count, "Sessions that are open");
    describe_counter!("dlock_losses_total", Unit::Count, "Held keys that were lost");
    describe_counter!(
        "dlock_reconnects_total",
        Unit::Count,
        "Sessions opened in place of lost ones"
    );
    describe_counter!(
        "dlock_connect_failures_total",
        Unit::Count,
        "Sessions that could not be opened"
    );
}
