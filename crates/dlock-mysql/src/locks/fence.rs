//! Fences: a transaction refuses to go on for a holder that has lost its key.

use super::{Server, ServerSession};
use crate::answer::{is_denied, is_in_the_way, is_no_database, is_no_table, meaning as plainly};
use crate::statement;
use crate::{Error, Key};
use dlock_core::Wait;
use dlock_locks::{FencedConnection, FencedDriver};
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Result, Transaction, TxOpts};
use std::time::{Duration, Instant};

/// The tables are in the database that is named where the session is opened, and in that of the connection
/// on which a transaction begins: it has to be the same.
impl FencedDriver for Server {
    const DDL: &'static str = statement::fence::DDL;

    async fn setup(session: &ServerSession) -> std::result::Result<(), Error> {
        let made = session.conn().await.query_drop(Self::DDL).await;
        made.map_err(|error| meaning(error, plainly))
    }
}

/// Raises the bid, so that new fences of earlier holders refuse, and then the fence, behind the transactions
/// that are behind it.
pub(super) async fn raise(conn: &mut Conn, key: &Key, limit: Duration) -> Result<Option<u64>> {
    let (begun, is_mariadb) = (Instant::now(), is_mariadb(conn));
    let bid = numbers(conn, &statement::fence::raise_bid(is_mariadb, key)).await?;
    let bid = bid.last().copied().unwrap_or_default();
    let left = Wait::millis(limit.saturating_sub(begun.elapsed())).max(1);
    let text = statement::fence::raise_fence(is_mariadb, key, bid, left);
    match numbers(conn, &text).await {
        // The row was there, unless somebody has removed it since: nothing is raised then.
        Ok(old) => Ok(old.first().map(|old| bid.max(old + 1))),
        Err(error) => {
            conn.query_drop("ROLLBACK").await?;
            if is_in_the_way(&error) { Ok(None) } else { Err(error) }
        }
    }
}

/// All numbers that some statements return.
async fn numbers(conn: &mut Conn, text: &str) -> Result<Vec<u64>> {
    let (mut answer, mut numbers) = (conn.query_iter(text).await?, Vec::new());
    while !answer.is_empty() {
        numbers.extend(answer.collect::<u64>().await?);
    }
    answer.drop_result().await?;
    Ok(numbers)
}

/// The fence is the first statement of the transaction, and reads with a lock: what the transaction sees later,
/// at whichever isolation level, it sees when all fenced transactions of earlier holders are over. It waits
/// for a fence that is being raised for as long as the session's `innodb_lock_wait_timeout` says.
///
/// A transaction that was begun by hand is committed, as by the driver's own
/// [`start_transaction`](Conn::start_transaction). On MariaDB the connection keeps the limit on idle
/// transactions. MySQL has none: there a client that has vanished inside its transaction stands in the way until
/// the server sees that its connection has ended, or `wait_timeout` is over.
impl FencedConnection<Server> for Conn {
    type Transaction<'c> = Transaction<'c>;

    async fn begin<'c>(
        &'c mut self,
        key: &Key,
        token: u64,
        idle: Duration,
    ) -> std::result::Result<Option<Transaction<'c>>, Error> {
        begin(self, key, token, idle).await.map_err(|error| meaning(error, plainly))
    }
}

async fn begin<'c>(
    conn: &'c mut Conn,
    key: &Key,
    token: u64,
    idle: Duration,
) -> Result<Option<Transaction<'c>>> {
    let is_mariadb = is_mariadb(conn);
    let bid: Option<u64> = conn.query_first(statement::fence::bid(is_mariadb, key)).await?;
    if bid.is_none_or(|bid| bid > token) {
        return Ok(None);
    }
    if conn.server_version() >= (10, 3, 0) {
        let seconds = Wait::millis(idle).div_ceil(1000).max(1);
        conn.query_drop(statement::fence::idle(seconds)).await?;
    }
    let mut transaction = conn.start_transaction(TxOpts::default()).await?;
    let fence = transaction.query_first(statement::fence::fence(is_mariadb, key)).await?;
    if fence == Some(token) {
        return Ok(Some(transaction));
    }
    transaction.rollback().await?;
    Ok(None)
}

fn is_mariadb(conn: &Conn) -> bool {
    conn.server_version().0 >= 10
}

/// What a failed statement on the tables means; anything else, `otherwise` says.
pub(super) fn meaning(
    error: mysql_async::Error,
    otherwise: impl FnOnce(mysql_async::Error) -> Error,
) -> Error {
    let advice = match &error {
        error if is_no_table(error) => statement::fence::MISSING,
        error if is_no_database(error) => NO_DATABASE,
        error if is_denied(error) => DENIED,
        _ => return otherwise(error),
    };
    Error::Setup { advice, source: Some(error) }
}

const NO_DATABASE: &str = "fences need two tables in the connection's database: name one in the URL or the \
                           options, the same for `Locks` and for the connections that begin behind a fence";

const DENIED: &str = "this user may not use the tables of fences: grant SELECT, INSERT and UPDATE on dlock_bid \
                      and dlock_fence, and CREATE on their database to make them";
