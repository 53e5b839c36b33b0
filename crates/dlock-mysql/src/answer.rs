use crate::{AsConn, Error};
use dlock_core::{Deadline, Reply};
use std::future::Future;

/// <https://dev.mysql.com/doc/mysql-errors/8.4/en/server-error-reference.html>,
/// <https://mariadb.com/kb/en/mariadb-error-codes/>.
mod code {
    /// A deadlock, said by MariaDB.
    pub(super) const LOCK_DEADLOCK: u16 = 1213;
    /// A deadlock among named locks, said by MySQL.
    pub(super) const USER_LOCK_DEADLOCK: u16 = 3058;
    /// `KILL QUERY`.
    pub(super) const QUERY_INTERRUPTED: u16 = 1317;
    /// MariaDB's `max_statement_time`.
    pub(super) const STATEMENT_TIMEOUT: u16 = 1969;
    /// MySQL's `MAX_EXECUTION_TIME`.
    pub(super) const QUERY_TIMEOUT: u16 = 3024;
    /// The server goes down.
    pub(super) const SERVER_SHUTDOWN: u16 = 1053;
    /// `KILL`, said by MariaDB.
    pub(super) const CONNECTION_KILLED: u16 = 1927;
    /// `KILL`, said by MySQL.
    pub(super) const SESSION_WAS_KILLED: u16 = 3169;
    /// MySQL's `wait_timeout`.
    pub(super) const CLIENT_INTERACTION_TIMEOUT: u16 = 4031;
}

/// The number in the first column of the only row; `None` is NULL.
pub(crate) type Answer = mysql_async::Result<Option<Option<i64>>>;

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
    let mysql_async::Error::Server(error) = error else {
        return false;
    };
    matches!(error.code, code::QUERY_TIMEOUT | code::STATEMENT_TIMEOUT) && end.is_over()
}

/// What an error of the driver's means for a lock, and whether the connection lives on.
pub(crate) fn failed(error: mysql_async::Error) -> Reply<mysql_async::Error> {
    let usable = is_alive(&error);
    Reply { answer: Err(meaning(error).into()), usable }
}

/// The connection is gone or may not be used any more.
pub(crate) fn closed() -> Reply<mysql_async::Error> {
    Reply { answer: Err(Error::Closed.into()), usable: false }
}

/// Whether the connection lives on after this error.
pub(crate) fn is_alive(error: &mysql_async::Error) -> bool {
    use code::{
        CLIENT_INTERACTION_TIMEOUT, CONNECTION_KILLED, SERVER_SHUTDOWN, SESSION_WAS_KILLED,
    };
    let mysql_async::Error::Server(error) = error else {
        return false;
    };
    !matches!(
        error.code,
        CLIENT_INTERACTION_TIMEOUT | CONNECTION_KILLED | SERVER_SHUTDOWN | SESSION_WAS_KILLED
    )
}

fn meaning(error: mysql_async::Error) -> Error {
    use code::{
        CONNECTION_KILLED, LOCK_DEADLOCK, QUERY_INTERRUPTED, QUERY_TIMEOUT, SESSION_WAS_KILLED,
        STATEMENT_TIMEOUT, USER_LOCK_DEADLOCK,
    };
    let mysql_async::Error::Server(said) = &error else {
        return Error::Driver(error);
    };
    match said.code {
        LOCK_DEADLOCK | USER_LOCK_DEADLOCK => Error::Deadlock(Some(error)),
        QUERY_INTERRUPTED | QUERY_TIMEOUT | STATEMENT_TIMEOUT | CONNECTION_KILLED
        | SESSION_WAS_KILLED => Error::Interrupted(Some(error)),
        _ => Error::Driver(error),
    }
}
