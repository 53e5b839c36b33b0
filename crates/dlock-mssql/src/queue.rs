use crate::answer::{astray, code, failed, granted};
use crate::{Error, Key, Mode, Stream};
use dlock_core::{Cancelled, Deadline, Exchange, Reply, Returned, Wait};
use std::borrow::BorrowMut;
use std::time::Duration;
use tiberius::Client;
use tiberius::error::Error as Native;

/// How long one request may wait: tiberius gives a connection up when an answer takes 30 seconds,
/// unless it was told otherwise, and it does not tell what it was told.
pub(crate) const SLICE: Duration = Duration::from_secs(25);

/// How long an answer that nobody waits for any more may still come before the wait is cancelled: an
/// answer that crosses the cancelling costs the session.
const LINGER: Duration = Duration::from_millis(50);

/// The round trips that ask for a lock: one, and one more for each slice of waiting.
#[derive(Debug)]
pub(crate) struct Queue {
    /// A batch that takes `@P1` the name, `@P2` the mode and `@P3` the time-out in milliseconds, and
    /// answers with one code.
    pub(crate) batch: &'static str,
    pub(crate) key: Key,
    pub(crate) mode: Mode,
    pub(crate) wait: Wait,
    /// How long one request waits at most.
    pub(crate) longest: Duration,
    /// What a code of refusal means here.
    pub(crate) refusal: &'static str,
}

impl<T: Stream> Exchange<Client<T>> for Queue {
    type Error = Native;

    async fn run<P>(self, mut place: P, cancelled: Cancelled) -> Returned<P, Native>
    where
        P: BorrowMut<Client<T>> + Send,
    {
        let client = place.borrow_mut();
        let deadline = Deadline::new(self.wait);
        let outcome = loop {
            let (slice, last) = deadline.slice(self.longest);
            let answer = tokio::select! {
                biased;
                answer = self.ask(client, slice) => answer,
                () = late(&cancelled) => break cancel(client).await,
            };
            match answer {
                Ok(Some(code::TIMED_OUT)) if !last => {}
                Ok(Some(code)) => {
                    let answer = granted(code, self.refusal).map_err(Box::new);
                    break Reply { answer, usable: true };
                }
                Ok(None) => break astray(),
                Err(error) => break failed(error),
            }
        };
        outcome.with(place)
    }
}

impl Queue {
    async fn ask<T: Stream>(
        &self,
        client: &mut Client<T>,
        slice: Wait,
    ) -> Result<Option<i32>, Native> {
        let millis = slice.limit().map_or(-1, milliseconds);
        let (name, mode) = (self.key.as_str(), self.mode.name());
        let row = client.query(self.batch, &[&name, &mode, &millis]).await?.into_row().await?;
        row.map_or(Ok(None), |row| row.try_get(0))
    }
}

/// Completes when nobody waits for the answer any more, and it is not about to come either.
async fn late(cancelled: &Cancelled) {
    cancelled.cancelled().await;
    tokio::time::sleep(LINGER).await;
}

/// A time-out as the server takes it, rounded up.
fn milliseconds(limit: Duration) -> i32 {
    i32::try_from(Wait::millis(limit)).unwrap_or(i32::MAX)
}

/// Takes the request out of the server's queue.
///
/// When the answer was on its way already the driver does not find the end of the attention's, and is
/// one answer behind from then on: such a client must not be used again. A grant that came first is
/// released by whoever let the wait go.
async fn cancel<T: Stream>(client: &mut Client<T>) -> Reply<Native> {
    let usable = client.cancel_query().await.is_ok();
    Reply { answer: Err(Error::Interrupted(None).into()), usable }
}

#[cfg(test)]
mod tests;
