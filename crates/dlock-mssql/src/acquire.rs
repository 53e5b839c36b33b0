use crate::answer::{code, granted};
use crate::request::{InFlight, Subject};
use crate::session::HasClient;
use crate::statement::RELEASE_DOUBTFUL;
use crate::{Error, Mode};
use dlock_core::{Cancelled, Deadline, Exchange, Returned, Wait};
use std::borrow::BorrowMut;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::Duration;
use tiberius::ToSql;
use tiberius::error::Error as Native;

/// How long one request may wait unless it was told otherwise: tiberius gives a connection up when an
/// answer takes 30 seconds, and it does not tell what it was told.
pub(crate) const SLICE: Duration = Duration::from_secs(25);

/// The round trips that ask for a lock: one, and one more for each slice of waiting.
#[derive(Debug)]
pub(crate) struct Acquire {
    /// Takes the mode, the time-out in milliseconds, and the database of the grant before, if any.
    pub(crate) statement: &'static str,
    pub(crate) subject: Arc<Subject>,
    pub(crate) mode: Mode,
    pub(crate) wait: Wait,
    /// How long one request waits at most.
    pub(crate) longest: Duration,
    /// What a code of refusal means here.
    pub(crate) refusal: &'static str,
}

impl<S: HasClient> Exchange<S> for Acquire {
    type Error = Native;

    async fn run<P>(self, place: P, cancelled: Cancelled) -> Returned<P, Native>
    where
        P: BorrowMut<S> + Send,
    {
        let mut call = InFlight::new(place, Arc::clone(&self.subject), true);
        let deadline = Deadline::new(self.wait);
        let answer = loop {
            let (slice, last) = deadline.slice(by_chance(self.longest));
            let answer = tokio::select! {
                biased;
                answer = self.ask(&mut call, slice) => answer,
                () = cancelled.cancelled() => return self.cancel(call).await,
            };
            if last || !matches!(answer, Ok((code::TIMED_OUT, _))) {
                break answer;
            }
        };
        match self.unmarked(&mut call, answer).await {
            Ok((code, database)) => call.answered(self.note(code, database)),
            Err(error) => call.failed(error),
        }
    }
}

impl Acquire {
    /// Nothing was granted, and who hears of it needs no mark. That is not cancelled: without the mark,
    /// nobody would know.
    async fn unmarked<S: HasClient, P: BorrowMut<S>>(
        &self,
        call: &mut InFlight<S, P>,
        answer: Result<(i32, i32), Native>,
    ) -> Result<(i32, i32), Native> {
        match answer {
            Ok((code::HELD_MARKED, _)) => {
                call.ask(RELEASE_DOUBTFUL, &[&0]).await.map(|_| (code::HELD, 0))
            }
            answer => answer,
        }
    }

    async fn ask<S: HasClient, P: BorrowMut<S>>(
        &self,
        call: &mut InFlight<S, P>,
        slice: Wait,
    ) -> Result<(i32, i32), Native> {
        let (mode, database) = (self.mode.name(), self.subject.known().database);
        let millis = slice.limit().map_or(-1, milliseconds);
        let parameters: [&dyn ToSql; 3] = [&mode, &millis, &database];
        let parameters = if database == 0 { &parameters[..2] } else { &parameters };
        match call.ask(self.statement, parameters).await {
            // Not every server says of a busy name that the time was over, where there is none.
            Ok((code::REFUSED, database)) if millis == 0 => Ok((code::TIMED_OUT, database)),
            answer => answer,
        }
    }

    fn note(&self, code: i32, database: i32) -> Result<bool, Error> {
        let answer = granted(code, self.refusal);
        self.subject.change(|known| {
            known.asked = false;
            if let Ok(true) = answer {
                (known.grants, known.database) = (known.grants + 1, database);
            }
        });
        answer
    }

    /// Takes the request out of the server's queue, if it is there. A grant that came first is released
    /// by whoever let the wait go.
    async fn cancel<S, P>(&self, mut call: InFlight<S, P>) -> Returned<P, Native>
    where
        S: HasClient,
        P: BorrowMut<S>,
    {
        if !self.subject.known().sent {
            return call.answered(Ok(false));
        }
        match call.client().cancel_query().await {
            // The answer was on its way already, and the driver took it for the attention's, which is
            // still to come. It reads away what is left of an answer before the next request. This begins
            // one that is never sent, for a savepoint's name has at most 255 characters: so one is left.
            Err(Native::Protocol(_)) => drop(call.client().save_transaction("-".repeat(256)).await),
            Err(error) => return call.failed(error),
            Ok(()) => {}
        }
        call.answered(Err(Error::Interrupted(None)))
    }
}

/// Nine tenths of it and more: those who wait do not leave the queue together, and join it anew in
/// another order each time.
fn by_chance(longest: Duration) -> Duration {
    let chance = u32::try_from(RandomState::new().hash_one(()) % 1024).unwrap_or_default();
    longest - longest / 10_240 * chance
}

/// A time-out as the server takes it, rounded up.
fn milliseconds(limit: Duration) -> i32 {
    i32::try_from(Wait::millis(limit)).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests;
