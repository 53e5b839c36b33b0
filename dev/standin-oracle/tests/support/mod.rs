//! Connections and statements that every test here needs.

use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use oracle::sql_type::{OracleType, ToSql};
use oracle::{Connection, Error};

/// What a blocked call may take at most before a test gives up.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

pub(crate) fn connect(database: &str) -> Arc<Connection> {
    Arc::new(
        Connection::connect("scott", "tiger", database).expect("the stand-in takes every user"),
    )
}

/// Runs a block whose first placeholder is an OUT integer.
pub(crate) fn block(
    connection: &Connection,
    text: &str,
    given: &[&dyn ToSql],
) -> Result<i64, Error> {
    let mut binds: Vec<&dyn ToSql> = vec![&OracleType::Int64];
    binds.extend_from_slice(given);
    connection.execute(text, &binds)?.bind_value(1)
}

pub(crate) fn request(
    connection: &Connection,
    id: i64,
    mode: i64,
    timeout: i64,
) -> Result<i64, Error> {
    let text = "begin :1 := dbms_lock.request(:2, :3, :4); end;";
    block(connection, text, &[&id, &mode, &timeout])
}

pub(crate) fn release(connection: &Connection, id: i64) -> Result<i64, Error> {
    block(connection, "begin :1 := dbms_lock.release(:2); end;", &[&id])
}

pub(crate) fn run(connection: &Connection, text: &str) {
    connection.execute(text, &[]).unwrap_or_else(|error| panic!("{text}: {error}"));
}

/// `sid,serial#` of a connection.
pub(crate) fn address(connection: &Connection) -> String {
    let text = "select sid, serial# from v$session where sid = sys_context('userenv', 'sid')";
    let (sid, serial) =
        connection.query_row_as::<(i64, i64)>(text, &[]).expect("a session sees itself");
    format!("{sid},{serial}")
}

pub(crate) fn waiters(observer: &Connection, id: i64) -> i64 {
    let text = "select count(*) from v$lock where type = 'UL' and id1 = :1 and request > 0";
    observer.query_row_as::<i64>(text, &[&id]).expect("V$LOCK can be read")
}

pub(crate) fn holders(observer: &Connection, id: i64) -> i64 {
    let text = "select count(*) from v$lock where type = 'UL' and id1 = :1 and lmode > 0";
    observer.query_row_as::<i64>(text, &[&id]).expect("V$LOCK can be read")
}

/// Starts a request on a thread, and comes back once it waits.
pub(crate) fn waiting(
    connection: &Arc<Connection>,
    observer: &Connection,
    id: i64,
) -> JoinHandle<(Result<i64, Error>, Duration)> {
    let connection = Arc::clone(connection);
    let before = waiters(observer, id);
    let waiter = thread::spawn(move || {
        let start = Instant::now();
        (request(&connection, id, 6, 32767), start.elapsed())
    });
    let start = Instant::now();
    while waiters(observer, id) == before {
        assert!(start.elapsed() < PATIENCE, "nobody waits");
        thread::yield_now();
    }
    waiter
}

/// The Oracle error number inside an error, also where ODPI-C has wrapped it.
pub(crate) fn code(error: &Error) -> Option<i32> {
    error.oci_code().or_else(|| error.dpi_code())
}
