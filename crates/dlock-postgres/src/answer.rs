//! Sending one message and reading its answer.

use crate::Error;
use futures::{FutureExt, Stream};
use std::future::{Future, poll_fn};
use std::mem;
use std::pin::{Pin, pin};
use std::task::{Poll, ready};
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, SimpleQueryMessage, SimpleQueryRow, SimpleQueryStream};

/// The answer to a message that is on the wire. It is on the heap so that a dropped wait can hand
/// it to the task that calls the wait off.
pub(crate) type Answer = Pin<Box<SimpleQueryStream>>;

/// Queues a message without waiting for anything; `None` when the connection has ended.
///
/// The first poll of a simple query sends it, so this works in `Drop`, and off the runtime.
pub(crate) fn queue(client: &Client, message: &str) -> Option<Answer> {
    let sent = client.simple_query_raw(message).now_or_never()?;
    sent.ok().map(Box::pin)
}

/// Sends a message and reads its answer.
pub(crate) async fn ask(
    client: &Client,
    message: &str,
) -> Result<Vec<SimpleQueryRow>, tokio_postgres::Error> {
    let answer = client.simple_query_raw(message).await?;
    read(pin!(answer)).await
}

/// Reads an answer to its end, also behind an error: only then has the server let go of what the
/// statement held. May be dropped and called again, though rows that were read are gone.
pub(crate) fn read(
    mut answer: Pin<&mut SimpleQueryStream>,
) -> impl Future<Output = Result<Vec<SimpleQueryRow>, tokio_postgres::Error>> {
    // Few answers have more rows.
    let (mut rows, mut failed) = (Vec::with_capacity(2), None);
    poll_fn(move |context| {
        while let Some(message) = ready!(answer.as_mut().poll_next(context)) {
            match message {
                Ok(SimpleQueryMessage::Row(row)) => rows.push(row),
                Ok(_) => {}
                Err(error) if failed.is_some() || error.is_closed() => {
                    return Poll::Ready(Err(error));
                }
                Err(error) => failed = Some(error),
            }
        }
        Poll::Ready(failed.take().map_or_else(|| Ok(mem::take(&mut rows)), Err))
    })
}

/// The first column of the first row, which is a boolean; `None` for `NULL`.
pub(crate) fn truth(rows: &[SimpleQueryRow]) -> Option<bool> {
    rows.first().and_then(|row| row.get(0)).map(|value| value == "t")
}

/// Whether the server ended the session with this error, or the connection is gone.
pub(crate) fn ends_session(error: &tokio_postgres::Error) -> bool {
    let ends = [
        &SqlState::ADMIN_SHUTDOWN,
        &SqlState::CRASH_SHUTDOWN,
        &SqlState::CANNOT_CONNECT_NOW,
        &SqlState::IDLE_SESSION_TIMEOUT,
        &SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT,
    ];
    error.is_closed() || error.code().is_some_and(|code| ends.contains(&code))
}

/// What a failed statement means. `LOCK_NOT_AVAILABLE` is the caller's business.
/// <https://www.postgresql.org/docs/current/errcodes-appendix.html>
pub(crate) fn meaning(error: tokio_postgres::Error) -> Error {
    match error.code() {
        Some(&SqlState::T_R_DEADLOCK_DETECTED) => Error::Deadlock(Some(error)),
        Some(&SqlState::QUERY_CANCELED | &SqlState::ADMIN_SHUTDOWN) => {
            Error::Interrupted(Some(error))
        }
        Some(&SqlState::OUT_OF_MEMORY) => Error::Setup {
            advice: "the server's lock table is full: raise max_locks_per_transaction",
            source: Some(error),
        },
        Some(&SqlState::INSUFFICIENT_PRIVILEGE) => Error::Setup {
            advice: "this role may not call the advisory lock functions: grant EXECUTE on them",
            source: Some(error),
        },
        _ => Error::Driver(error),
    }
}

/// Advisory locks work on a standby, and exclude nobody on the primary.
pub(crate) fn standby() -> Error {
    Error::Setup {
        advice: "this server is a standby, where a lock excludes nobody on the primary: \
                 connect to the primary",
        source: None,
    }
}
