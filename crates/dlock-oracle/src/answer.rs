//! What codes of `DBMS_LOCK` and errors of the driver mean.

use crate::Error;

/// <https://docs.oracle.com/en/database/oracle/oracle-database/21/arpls/DBMS_LOCK.html>
pub(crate) const GRANTED: i64 = 0;
pub(crate) const TIMED_OUT: i64 = 1;
pub(crate) const DEADLOCK: i64 = 2;
/// This session owns the lock already (REQUEST), or does not (CONVERT and RELEASE).
pub(crate) const OWNED_OR_NOT: i64 = 4;

/// Errors of ODPI-C.
const DPI_NOT_CONNECTED: i32 = 1010;
const DPI_CLOSED: i32 = 1080;

const NO_THREAD: &str = "no thread could be started for the connection: raise the limit on threads";
/// A lock there excludes nobody on the primary.
const STANDBY: &str = "this database is a standby: connect to the primary";
const NO_VIEWS: &str = "the user of this session may not look at locks, or not end sessions: an \
    administrator has to run GRANT SELECT ON SYS.GV_$LOCK, GRANT SELECT ON SYS.GV_$SESSION and, to end \
    sessions, GRANT ALTER SYSTEM TO <user>";
const NO_CLIENT: &str = "no Oracle client library was found: install Oracle Instant Client (Basic or \
    Basic Light), and add its directory to the system's library search path";
const NO_GRANT: &str = "the user of this session may not use DBMS_LOCK: an administrator has to run \
    GRANT EXECUTE ON SYS.DBMS_LOCK TO <user>";

pub(crate) fn is_standby(error: &Error) -> bool {
    matches!(error, Error::Setup { advice: STANDBY, .. })
}

/// What the calls that look mean by an error: what the user may not see is a sentence on who can mend it.
pub(crate) fn look(error: oracle::Error) -> Error {
    match error.oci_code() {
        // No such view, no privilege.
        Some(942 | 1031) => Error::Setup { advice: NO_VIEWS, source: Some(error) },
        _ => explain(error),
    }
}

/// Whether there is no session of this address.
pub(crate) fn is_no_session(error: &oracle::Error) -> bool {
    error.oci_code() == Some(30)
}

/// Whether the session will end, but not at once.
pub(crate) fn is_marked(error: &oracle::Error) -> bool {
    error.oci_code() == Some(31)
}

/// A code that none of the calls expects.
pub(crate) fn refused(code: i64) -> Error {
    let meaning = "none of its calls may give this code of DBMS_LOCK; this is a bug of dlock's";
    Error::Refused { code: i32::try_from(code).unwrap_or(i32::MAX), meaning }
}

/// The system has no thread left for a session.
pub(crate) fn no_thread() -> Error {
    Error::Setup { advice: NO_THREAD, source: None }
}

/// Whether a database of this role is the one where locks are; what has no role, is.
pub(crate) fn primary(role: Option<String>) -> Result<(), Error> {
    match role {
        Some(role) if role != "PRIMARY" => Err(Error::Setup { advice: STANDBY, source: None }),
        _ => Ok(()),
    }
}

/// What an error of the driver's means; also for those of `Connection::connect`.
/// <https://docs.oracle.com/error-help/db/>
///
/// A missing client library and a missing grant become a sentence on what to do.
#[must_use]
pub fn explain(error: oracle::Error) -> Error {
    match (code(&error), error.dpi_code()) {
        // Killed, cancelled, or over the caller's own call time-out.
        (Some(28 | 31 | 1013), _) | (_, Some(1067)) => Error::Interrupted(Some(error)),
        (Some(60), _) => Error::Deadlock(Some(error)),
        // Not logged on, or not connected.
        (Some(1012 | 3114), _) | (_, Some(DPI_NOT_CONNECTED)) => Error::Closed,
        _ if ends_session(&error) => Error::Lost(Some(error)),
        _ => match advice(&error) {
            Some(advice) => Error::Setup { advice, source: Some(error) },
            None => Error::Driver(error),
        },
    }
}

fn advice(error: &oracle::Error) -> Option<&'static str> {
    if error.dpi_code() == Some(1047) {
        return Some(NO_CLIENT);
    }
    let says = |text| error.to_string().contains(text);
    (is_compilation(error) && says("PLS-00201") && says("DBMS_LOCK")).then_some(NO_GRANT)
}

/// Whether the session is over with this error.
pub(crate) fn ends_session(error: &oracle::Error) -> bool {
    matches!(error.dpi_code(), Some(DPI_NOT_CONNECTED | DPI_CLOSED))
        || matches!(code(error), Some(28 | 31 | 1012 | 1089 | 1092 | 2396 | 3113 | 3114 | 3135))
}

/// Whether a break ended the call: what it had done by then is not known.
pub(crate) fn is_cancelled(error: &oracle::Error) -> bool {
    code(error) == Some(1013)
}

/// Whether only a pool's session can be dropped, and this is none.
pub(crate) fn is_of_no_pool(error: &oracle::Error) -> bool {
    error.dpi_code() == Some(1011)
}

/// Whether the block was refused before it ran.
pub(crate) fn is_compilation(error: &oracle::Error) -> bool {
    error.oci_code() == Some(6550)
}

/// The server's number of an error, also where ODPI-C has wrapped it:
/// `DPI-1080: connection was closed by ORA-00028`.
fn code(error: &oracle::Error) -> Option<i32> {
    error.oci_code().or_else(|| {
        let message = error.db_error().filter(|_| error.dpi_code() == Some(DPI_CLOSED))?.message();
        let (_, rest) = message.split_once("ORA-")?;
        rest.get(..5).and_then(|digits| digits.parse().ok())
    })
}
