//! A command under a lock.

use crate::args::{Guard, Hold};
use crate::clock;
use crate::locks::{self, FAREWELL, Grant, Held, Locks};
use crate::signals::Heeded;
use crate::sockets::Sockets;
use crate::status::{Failure, LOST, of_signal};
use crate::supervisor::{Ending, Job, Outcome, Supervisor};
use crate::terms::Terms;
use crate::url::Url;
use std::ffi::OsString;
use std::time::Duration;
use tokio::time::timeout;

/// The part of the lease that is left for a command to end in, when the server is silent. A ping is answered
/// every third of it: so it may be late by more than a quarter before the command is asked to end.
const GRACE: f64 = 0.3;

/// What is to be run under which lock.
pub(crate) struct Work<'a> {
    pub(crate) url: &'a Url,
    pub(crate) key: &'a str,
    pub(crate) hold: &'a Hold,
    pub(crate) guard: &'a Guard,
    pub(crate) command: &'a [OsString],
}

impl Work<'_> {
    /// Runs the command while the key is held, and lets the key go.
    pub(crate) async fn under(
        &self,
        grant: Grant,
        before: &Sockets,
        signals: &mut Heeded,
    ) -> Result<u8, Failure> {
        let outcome = self.guarded(&grant, before, signals).await;
        let released = timeout(FAREWELL + self.hold.lease, grant.release()).await;
        let status = conclude(outcome?)?;
        match released {
            Ok(Err(error)) => Err(locks::failure(self.url, &error, LOST)),
            _ => Ok(status),
        }
    }

    /// Takes the key.
    pub(crate) async fn take(&self, locks: &Locks) -> Result<Grant, Failure> {
        let hold = self.hold;
        let wait = if hold.no_wait { Some(Duration::ZERO) } else { hold.wait };
        let failed = |error| locks::failure(self.url, &error, hold.conflict_exit_code);
        if let Some(permits) = hold.permits {
            let semaphore = locks.semaphore(self.key, permits).map_err(failed)?;
            return semaphore.acquire(wait).await.map(Grant::Permit).map_err(failed);
        }
        let request = locks.key(self.key).map_err(|error| failed(error.into()))?;
        let request = match (hold.shared, hold.fenced) {
            (true, _) => request.shared(),
            (_, true) => request.fenced(),
            _ => request,
        };
        request.acquire(wait).await.map(Grant::Lock).map_err(failed)
    }

    async fn guarded(
        &self,
        held: &Held,
        before: &Sockets,
        signals: &mut Heeded,
    ) -> Result<Outcome, Failure> {
        let now = clock::now();
        let terms = Terms {
            kill_after: self.guard.kill_after,
            grace: self.guard.kill_after.min(self.hold.lease.mul_f64(GRACE)),
            trusted: held.trusted_for().map(|left| now + left),
            leftovers: self.guard.leftovers,
            foreground: self.guard.foreground.then(rustix::process::getpgrp),
        };
        let kept = before.opened_since();
        let (key, token, command) = (self.key, held.token(), self.command);
        let job = Job { key, token, command, terms, kept };
        Supervisor::start(&job)?.supervise(held, signals).await
    }
}

fn conclude(outcome: Outcome) -> Result<u8, Failure> {
    if let Some(reason) = outcome.lost {
        return Err(Failure::new(LOST, reason));
    }
    match outcome.ending {
        Some(Ending::Exited(status)) => Ok(u8::try_from(status).unwrap_or(u8::MAX)),
        Some(Ending::Killed(signal)) => Ok(of_signal(signal)),
        None => {
            let said = "the guardian of the command was killed, and so was the command";
            Err(Failure::new(of_signal(9), said))
        }
    }
}
