//! What the server's answers and errors mean.

use crate::Error;
use futures::{FutureExt, Stream};
use std::future::{Future, poll_fn};
use std::mem;
use std::pin::Pin;
use std::task::{Poll, ready};
use std::time::Duration;
use tokio_postgres::error::{DbError, SqlState};
use tokio_postgres::{Client, SimpleQueryMessage, SimpleQueryRow, SimpleQueryStream};

/// The native driver's error.
pub(crate) type Native = tokio_postgres::Error;

/// The answer to a message that is on the wire. While it is neither read nor dropped, the answers behind
/// it may have to wait.
pub(crate) type Answer = Pin<Box<SimpleQueryStream>>;

/// Queues a message without waiting for anything: the first poll of a simple query sends it, so this
/// works in `Drop`, and off the runtime.
pub(crate) fn queue(client: &Client, message: &str) -> Result<SimpleQueryStream, Native> {
    let sent = client.simple_query_raw(message).now_or_never();
    sent.expect("a simple query is sent by its first poll")
}

/// Reads an answer to its end, also behind an error: only then has the server let go of what the
/// statement held. May be dropped and called again, though rows that were read are gone.
pub(crate) fn read(
    mut answer: Pin<&mut SimpleQueryStream>,
) -> impl Future<Output = Result<Vec<SimpleQueryRow>, Native>> {
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

/// The first column of the last row.
pub(crate) fn word(rows: &[SimpleQueryRow]) -> Option<&str> {
    rows.last()?.get(0)
}

/// The first column of the last row, which is a boolean.
pub(crate) fn truth(rows: &[SimpleQueryRow]) -> Option<bool> {
    word(rows).map(|word| word == "t")
}

/// Whether a try that looked closely was granted.
pub(crate) fn tried(rows: &[SimpleQueryRow]) -> Result<bool, Error> {
    match word(rows) {
        Some("granted") => Ok(true),
        // By this session or its transaction.
        Some("held") => Err(Error::AlreadyHeld),
        Some("standby") => Err(standby()),
        _ => Ok(false),
    }
}

/// A time as `current_setting` writes it.
/// <https://www.postgresql.org/docs/current/config-setting.html#CONFIG-SETTING-NAMES-VALUES>
pub(crate) fn duration(setting: &str) -> Option<Duration> {
    let unit = setting.find(|character: char| !character.is_ascii_digit())?;
    let millis = match &setting[unit..] {
        "ms" => 1,
        "s" => 1_000,
        "min" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    Some(Duration::from_millis(setting[..unit].parse::<u64>().ok()?.checked_mul(millis)?))
}

/// Whether the server ended the session with this error, or the connection is gone.
pub(crate) fn ends_session(error: &Native) -> bool {
    let ends = [
        &SqlState::ADMIN_SHUTDOWN,
        &SqlState::CRASH_SHUTDOWN,
        &SqlState::CANNOT_CONNECT_NOW,
        &SqlState::IDLE_SESSION_TIMEOUT,
        &SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT,
    ];
    error.is_closed() || error.code().is_some_and(|code| ends.contains(&code))
}

/// Whether the statement did not run, since the transaction around it has failed.
pub(crate) fn is_in_failed_transaction(error: &Native) -> bool {
    error.code() == Some(&SqlState::IN_FAILED_SQL_TRANSACTION)
}

/// Whether a deadlock is one only as long as the wait goes on: somebody in it waits for older transactions
/// to end, as a `CONCURRENTLY` command does. Whatever its language, the detail names what each one waits
/// for, and a virtual transaction alone has a slash (`8/409`).
pub(crate) fn is_beside_concurrently(error: &Native) -> bool {
    let detail = error.as_db_error().and_then(DbError::detail);
    detail.is_some_and(|detail| detail.contains('/'))
}

/// Whether the server has no `plpgsql` for this role.
pub(crate) fn lacks_plpgsql(error: &Native) -> bool {
    let lacks = [
        &SqlState::INSUFFICIENT_PRIVILEGE,
        &SqlState::UNDEFINED_OBJECT,
        &SqlState::UNDEFINED_FUNCTION,
    ];
    error.code().is_some_and(|code| lacks.contains(&code))
}

/// Whether this role may not do that.
pub(crate) fn is_not_allowed(error: &Native) -> bool {
    error.code() == Some(&SqlState::INSUFFICIENT_PRIVILEGE)
}

/// What a failed statement means. `LOCK_NOT_AVAILABLE` is the caller's business.
/// <https://www.postgresql.org/docs/current/errcodes-appendix.html>
pub(crate) fn meaning(error: Native) -> Error {
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
            advice: "this role may not call the advisory lock functions or see what it holds: \
                     grant EXECUTE on them, and on pg_catalog.pg_lock_status()",
            source: Some(error),
        },
        _ => Error::Driver(error),
    }
}

/// Where a lock excludes nobody.
pub(crate) fn standby() -> Error {
    Error::Setup {
        advice: "this server is a standby, where a lock excludes nobody on the primary: \
                 connect to the primary",
        source: None,
    }
}

/// Where a future that is not polled any more keeps its savepoint open.
pub(crate) fn parked() -> Error {
    Error::Refused {
        code: 25001,
        meaning: "another lock of this transaction is being acquired, by a future that is not polled: \
                  poll it to its end, or drop it",
    }
}

/// Where a wait is refused: it would pin the transaction's snapshot, and end with an error in it.
pub(crate) fn inside() -> Error {
    Error::Refused {
        code: 25001,
        meaning: "the key is held elsewhere and a transaction is open on this session; \
                  lock before BEGIN, or use XactLock, or try_lock",
    }
}

#[cfg(test)]
mod tests {
    use super::duration;
    use std::time::Duration;

    #[test]
    fn a_setting_is_a_time() {
        for (setting, millis) in
            [("1s", 1_000), ("10ms", 10), ("10min", 600_000), ("1d", 86_400_000)]
        {
            assert_eq!(duration(setting), Some(Duration::from_millis(millis)), "{setting}");
        }
        for setting in ["", "1", "s", "1 fortnight", "99999999999999999999d"] {
            assert_eq!(duration(setting), None, "{setting}");
        }
    }
}
