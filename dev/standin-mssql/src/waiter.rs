//! A request in the queue of a lock, which leaves the queue when it is dropped.

use std::time::Duration;

use tokio::sync::oneshot;

use crate::engine::Engine;
use crate::locks::{Resource, Verdict};

pub(crate) const GRANTED_AFTER_WAIT: i32 = 1;
pub(crate) const TIMED_OUT: i32 = -1;
pub(crate) const CANCELLED: i32 = -2;
pub(crate) const DEADLOCKED: i32 = -3;

/// A wait in progress.
#[derive(Debug)]
pub(crate) struct Waiter<'a> {
    pub(crate) engine: &'a Engine,
    pub(crate) resource: &'a Resource,
    pub(crate) ticket: u64,
}

impl Waiter<'_> {
    /// The return code that the wait ends with.
    pub(crate) async fn outcome(
        self,
        mut verdict: oneshot::Receiver<Verdict>,
        limit: Option<Duration>,
    ) -> i32 {
        let Some(limit) = limit else {
            return code(verdict.await.ok());
        };
        if let Ok(answer) = tokio::time::timeout(limit, &mut verdict).await {
            return code(answer.ok());
        }
        let waited_in_vain = self.engine.state().locks.cancel(self.resource, self.ticket);
        if waited_in_vain {
            return TIMED_OUT;
        }
        // The verdict came while the time ran out: it counts.
        code(verdict.await.ok())
    }
}

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        self.engine.state().locks.cancel(self.resource, self.ticket);
    }
}

fn code(verdict: Option<Verdict>) -> i32 {
    match verdict {
        Some(Verdict::Granted) => GRANTED_AFTER_WAIT,
        Some(Verdict::Deadlocked) => DEADLOCKED,
        None => CANCELLED,
    }
}
