//! `dlock run`: a command under a lock.

use crate::args::{Hold, Run};
use crate::locks::{self, Held, Locks};
use crate::status::{Failure, LOST, SYSTEM, of_signal};
use crate::supervisor::{Ending, Job, Outcome, Supervisor};
use crate::terms::Terms;
use crate::url::{Source, Url};
use crate::{clock, signals};
use dlock_locks::Request;
use std::time::Duration;
use tokio::time::timeout;

/// How long a farewell may take: the server sees the end of the process anyway.
const FAREWELL: Duration = Duration::from_secs(2);

/// Takes the key, runs the command, and returns its status.
pub(crate) async fn run(source: &Source, run: Run) -> Result<u8, Failure> {
    let url = source.url()?;
    let mut signals = signals::Heeded::new()?;
    let taking = async {
        let locks = locks::open(&url, "dlock run", run.hold.lease).await?;
        let held = take(&url, &locks, &run.key, &run.hold).await?;
        Ok((locks, held))
    };
    let (locks, held) = tokio::select! {
        biased;
        number = signals.next() => return Err(Failure::signal(number)),
        taken = taking => taken?,
    };
    let outcome = guarded(&run, &held, signals).await;
    let released = timeout(FAREWELL + run.hold.lease, held.release()).await;
    let _ = timeout(FAREWELL, locks.close()).await;
    let status = conclude(outcome?)?;
    if let Ok(Err(error)) = released {
        return Err(locks::failure(&url, &error, LOST));
    }
    Ok(status)
}

async fn take(url: &Url, locks: &Locks, key: &str, hold: &Hold) -> Result<Held, Failure> {
    let failed = |error| locks::failure(url, &error, hold.conflict_exit_code);
    let mut request: Request<_> = locks.key(key).map_err(|error| failed(error.into()))?;
    if hold.shared {
        request = request.shared();
    }
    let wait = if hold.no_wait { Some(Duration::ZERO) } else { hold.wait };
    request.acquire(wait).await.map_err(failed)
}

async fn guarded(run: &Run, held: &Held, signals: signals::Heeded) -> Result<Outcome, Failure> {
    let now = clock::now();
    let trusted = held.trusted_for().map(|left| now + left);
    let terms = Terms {
        kill_after: run.guard.kill_after,
        grace: run.guard.kill_after.min(run.hold.lease.mul_f64(0.3)),
        trusted,
        leftovers: run.guard.leftovers,
        foreground: run.guard.foreground.then(rustix::process::getpgrp),
    };
    let job = Job { key: &run.key, token: held.token(), command: &run.command, terms };
    Supervisor::start(&job)?.supervise(held, signals).await
}

fn conclude(outcome: Outcome) -> Result<u8, Failure> {
    if let Some(reason) = outcome.lost {
        return Err(Failure::new(LOST, reason));
    }
    match outcome.ending {
        Some(Ending::Exited(status)) => Ok(u8::try_from(status).unwrap_or(u8::MAX)),
        Some(Ending::Killed(signal)) => Ok(of_signal(signal)),
        None => Err(Failure::new(
            SYSTEM,
            "the guardian of the command was killed, and so was the command",
        )),
    }
}
