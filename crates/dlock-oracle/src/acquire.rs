//! Asking for a lock, or for another mode of it, slice by slice.

use crate::answer::{self, DEADLOCK, GRANTED, OWNED_OR_NOT, TIMED_OUT};
use crate::session::{Claim, Job, Worker};
use crate::statement::{self, Code};
use crate::{Error, Mode};
use oracle::Connection;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// The longest that one call waits, unless the caller sets it. It must outlast the server's own look
/// for deadlocks, said to be after 3 seconds; and end within the grace of a call that comes meanwhile,
/// where the server hears no break.
pub(crate) const SLICE: Duration = Duration::from_secs(4);

/// How long a call may outlast its slice before a call time-out of the caller's may end it. Not a round
/// number, so that it is told from one that the caller sets meanwhile.
const MARGIN: Duration = Duration::from_millis(10_013);

/// A wait, between its slices.
pub(crate) struct Acquire {
    pub(crate) claim: Arc<Claim>,
    /// The mode it is held in; `None`: it is not held yet.
    pub(crate) from: Option<Mode>,
    pub(crate) mode: Mode,
    /// When it is over; `None`: never.
    pub(crate) due: Option<Instant>,
    /// The longest that one call waits.
    pub(crate) slice: Duration,
    /// Others may use the connection too, the caller among them.
    pub(crate) is_shared: bool,
    pub(crate) answer: oneshot::Sender<Result<bool, Error>>,
}

impl Acquire {
    /// Waits one slice. Then the answer is known, or the wait goes on in its turn.
    pub(crate) fn job(self) -> Job {
        Box::new(|worker| {
            let mut is_turn_over = false;
            match self.slice(worker, &mut is_turn_over) {
                Some(answer) => drop(self.answer.send(answer)),
                None => worker.session.wait_again(self.due, is_turn_over, self.job()),
            }
        })
    }

    fn slice(&self, worker: &mut Worker, is_turn_over: &mut bool) -> Option<Result<bool, Error>> {
        if self.claim.is_cancelled.load(Ordering::SeqCst) {
            return Some(Err(Error::Interrupted(None)));
        }
        let left = self.left();
        // Any other wait over the session has its turn in time.
        let limit = some_of(self.slice).min(left).min(worker.session.first_due());
        // Over a shared connection a try goes before every wait: so a key that is free is had at once,
        // and no break meets a statement of the caller's that was there before.
        let tried = (self.is_shared || limit.is_zero())
            .then(|| self.call(worker, Duration::ZERO))
            .filter(|tried| limit.is_zero() || !matches!(tried, Ok(TIMED_OUT)));
        let code = tried.or_else(|| self.wait(worker, limit))?;
        if matches!(code, Ok(TIMED_OUT)) {
            // Where it was to be the last slice, the server's clock ran fast.
            *is_turn_over = limit < left;
            return self.left().is_zero().then_some(Ok(false));
        }
        Some(self.conclude(worker, code))
    }

    fn left(&self) -> Duration {
        self.due.map_or(Duration::MAX, |due| due.saturating_duration_since(Instant::now()))
    }

    /// One call that waits in the server. `None`: it was broken off for another's sake, or before it
    /// began.
    fn wait(&self, worker: &mut Worker, limit: Duration) -> Option<Code> {
        if !worker.session.begin_slice() {
            return None;
        }
        let code = self.call(worker, limit);
        if !worker.session.finish_slice() {
            return Some(code);
        }
        if !code.as_ref().is_err_and(answer::is_cancelled) {
            // The break is still on its way: it may meet nobody else.
            drop(worker.session.connection.ping());
            return Some(code);
        }
        (!self.undo(worker)).then_some(code)
    }

    fn call(&self, worker: &Worker, limit: Duration) -> Code {
        let connection = &worker.session.connection;
        patiently(connection, limit + MARGIN, || match self.from {
            None => statement::request(connection, &self.claim, self.mode, limit),
            Some(_) => statement::convert(connection, self.claim.id, self.mode, limit),
        })
    }

    fn conclude(&self, worker: &mut Worker, code: Code) -> Result<bool, Error> {
        match (code, self.from) {
            (Ok(GRANTED), _) => {
                worker.held.insert(self.claim.id, Arc::clone(&self.claim));
                Ok(true)
            }
            (Ok(DEADLOCK), _) => Err(Error::Deadlock(None)),
            (Ok(OWNED_OR_NOT), None) => Err(Error::AlreadyHeld),
            (Ok(OWNED_OR_NOT), Some(_)) => {
                worker.held.remove(&self.claim.id);
                Err(Error::Lost(None))
            }
            (Ok(code), _) => Err(answer::refused(code)),
            (Err(error), _) if answer::is_compilation(&error) => Err(answer::explain(error)),
            (Err(error), _) if self.undo(worker) => Err(answer::explain(error)),
            (Err(error), _) => Err(Error::Lost(Some(error))),
        }
    }

    /// An error may hide a success: goes back to what was held before. `false`: others have come in
    /// between, and nothing is held.
    fn undo(&self, worker: &mut Worker) -> bool {
        let id = self.claim.id;
        let Some(from) = self.from else {
            if !worker.held.contains_key(&id) {
                worker.let_go(id, true);
            }
            return true;
        };
        let back = statement::convert(&worker.session.connection, id, from, Duration::ZERO);
        let is_back = matches!(back, Ok(GRANTED));
        if !is_back {
            worker.let_go(id, true);
        }
        is_back
    }
}

/// Makes a call that may take as long as `longest`, whatever the caller's own call time-out. One that the
/// caller sets meanwhile stays.
fn patiently<T>(connection: &Connection, longest: Duration, call: impl FnOnce() -> T) -> T {
    // A client older than 18 has no call time-out, and fails neither here nor below.
    let timeout = || connection.call_timeout().ok().flatten();
    let usual = timeout().filter(|usual| *usual < longest);
    if usual.is_some() {
        drop(connection.set_call_timeout(Some(longest)));
    }
    let given = timeout();
    let result = call();
    if usual.is_some() && timeout() == given {
        drop(connection.set_call_timeout(usual));
    }
    result
}

/// A slice of so long, in whole seconds, as the server's queue counts them: and by chance up to a tenth
/// more, so that those who wait for one key do not come and go in step.
fn some_of(longest: Duration) -> Duration {
    // One more means forever.
    // <https://docs.oracle.com/en/database/oracle/oracle-database/21/arpls/DBMS_LOCK.html>
    let queued = Duration::from_secs(longest.as_secs().clamp(1, 32_766));
    let thousandths = u32::try_from(RandomState::new().hash_one(()) % 100).unwrap_or(0);
    queued + queued * thousandths / 1000
}

#[cfg(test)]
mod tests {
    use super::some_of;
    use std::time::Duration;

    #[test]
    fn slices_have_chance_in_them() {
        for (longest, queued) in [(0, 1), (1, 1), (4, 4), (30, 30), (u64::MAX, 32_766)] {
            let queued = Duration::from_secs(queued);
            let drawn = (0..1000).map(|_| some_of(Duration::from_secs(longest)));
            let (least, most) = drawn
                .fold((Duration::MAX, Duration::ZERO), |(least, most), slice| {
                    (least.min(slice), most.max(slice))
                });
            assert!(
                queued <= least && least < most && most < queued * 11 / 10,
                "{least:?} {most:?}"
            );
        }
    }
}
