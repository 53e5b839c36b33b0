use crate::{AsConn, Error};
use dlock_core::Deadline;
use std::future::Future;

/// What the servers' numbers say:
/// <https://dev.mysql.com/doc/mysql-errors/8.4/en/server-error-reference.html>,
/// <https://mariadb.com/kb/en/mariadb-error-codes/>.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Said {
    Deadlock,
    /// `KILL QUERY`.
    Killed,
    /// The time of a statement is over.
    TimeOver,
    /// The connection has ended.
    Ended,
    /// The statement did not run, only since it was to be prepared.
    NotPrepared,
    /// A `KILL` found no session of this user's.
    NotThere,
    /// A row is locked for longer than the statement waits, or in a circle.
    Locked,
    /// There is no such table.
    NoTable,
    /// The connection has no database to look into.
    NoDatabase,
    /// The user may not do that.
    Denied,
    /// A node of a cluster has no named locks.
    NotSupported,
    Other,
}

pub(crate) fn said(error: &mysql_async::Error) -> Option<Said> {
    let mysql_async::Error::Server(error) = error else { return None };
    Some(match error.code {
        // By MariaDB; of named locks, by MySQL.
        1213 | 3058 => Said::Deadlock,
        1205 => Said::Locked,
        1317 => Said::Killed,
        // MariaDB's max_statement_time; MySQL's MAX_EXECUTION_TIME.
        1969 | 3024 => Said::TimeOver,
        // The server goes down; KILL, by MariaDB and by MySQL; MySQL's wait_timeout.
        1053 | 1927 | 3169 | 4031 => Said::Ended,
        // By a proxy that knows no such command, or the statement no more; not at all; no room for it.
        1047 | 1243 | 1295 | 1461 => Said::NotPrepared,
        1094 | 1095 => Said::NotThere,
        // Of MariaDB, 1109 is a table of a plugin that is not there.
        1109 | 1146 => Said::NoTable,
        1046 => Said::NoDatabase,
        1235 => Said::NotSupported,
        1044 | 1142 | 1143 | 1227 => Said::Denied,
        _ => Said::Other,
    })
}

/// The number in the first column of the only row; `None` is NULL.
pub(crate) type Answer = mysql_async::Result<Option<Option<i64>>>;

/// What that means for a lock.
pub(crate) type Reply = dlock_core::Reply<mysql_async::Error>;

/// Asks for such a number, by a statement that is prepared if it is to be. What is prepared already, the
/// driver knows by its text; if it keeps none, it would prepare each time.
///
/// Never inlined: before the driver boxes it, its future is larger than all that a caller has on its
/// stack, and a caller is polled more often than it asks.
#[inline(never)]
pub(crate) fn ask<'a, S: AsConn>(
    session: &'a mut S,
    statement: &'a str,
    is_prepared: bool,
) -> impl Future<Output = Answer> + Unpin + use<'a, S> {
    match is_prepared && session.conn().opts().stmt_cache_size() > 0 {
        true => session.exec_first(statement, ()),
        false => session.query_first(statement),
    }
}

/// Whether the wait came to its end, and nothing else happened. Before that it is another statement's
/// time that was over: the late error of one of the caller's.
pub(crate) fn ran_out(error: &mysql_async::Error, end: &Deadline) -> bool {
    said(error) == Some(Said::TimeOver) && end.is_over()
}

/// Whether the connection lives on after this error.
pub(crate) fn is_alive(error: &mysql_async::Error) -> bool {
    !matches!(said(error), None | Some(Said::Ended))
}

/// Whether somebody else's locked row was in the way.
pub(crate) fn is_in_the_way(error: &mysql_async::Error) -> bool {
    matches!(said(error), Some(Said::Deadlock | Said::Locked | Said::TimeOver))
}

/// Whether there is no such table.
pub(crate) fn is_no_table(error: &mysql_async::Error) -> bool {
    said(error) == Some(Said::NoTable)
}

/// Whether the connection has no database to look into.
pub(crate) fn is_no_database(error: &mysql_async::Error) -> bool {
    said(error) == Some(Said::NoDatabase)
}

/// Whether the user may not do that.
pub(crate) fn is_denied(error: &mysql_async::Error) -> bool {
    said(error) == Some(Said::Denied)
}

/// Whether a `KILL` found no session of this user's.
pub(crate) fn is_not_there(error: &mysql_async::Error) -> bool {
    said(error) == Some(Said::NotThere)
}

/// Whether the statement did not run, only since it was to be prepared. It may also be the late error of
/// one of the caller's.
pub(crate) fn is_not_prepared(error: &Error) -> bool {
    matches!(error, Error::Driver(error) if said(error) == Some(Said::NotPrepared))
}

/// What an error of the driver's means for a lock, and whether the connection lives on.
pub(crate) fn failed(error: mysql_async::Error) -> Reply {
    let usable = is_alive(&error);
    Reply { answer: Err(meaning(error).into()), usable }
}

/// What an error of the driver's means.
pub(crate) fn meaning(error: mysql_async::Error) -> Error {
    match said(&error) {
        Some(Said::Deadlock) => Error::Deadlock(Some(error)),
        Some(Said::Killed | Said::TimeOver | Said::Ended) => Error::Interrupted(Some(error)),
        _ => Error::Driver(error),
    }
}

/// The connection is gone or may not be used any more.
pub(crate) fn closed() -> Reply {
    Reply { answer: Err(Error::Closed.into()), usable: false }
}
