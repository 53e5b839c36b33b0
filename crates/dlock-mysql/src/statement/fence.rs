//! Bids and fences: a row for each key in either table of the connection's database.

use super::batch::folded;
use super::{Statements, name};
use crate::Key;

/// A name is 64 characters of three bytes at most, and counts by its bytes, trailing spaces too.
pub(crate) const DDL: &str = "\
CREATE TABLE IF NOT EXISTS dlock_bid \
(`key` VARBINARY(192) NOT NULL PRIMARY KEY, n BIGINT UNSIGNED NOT NULL) ENGINE=InnoDB; \
CREATE TABLE IF NOT EXISTS dlock_fence \
(`key` VARBINARY(192) NOT NULL PRIMARY KEY, n BIGINT UNSIGNED NOT NULL) ENGINE=InnoDB";

/// What to do where they are missing.
pub(crate) const MISSING: &str = "\
fences need two tables, which `Locks::setup` or these statements make: \
CREATE TABLE IF NOT EXISTS dlock_bid \
(`key` VARBINARY(192) NOT NULL PRIMARY KEY, n BIGINT UNSIGNED NOT NULL) ENGINE=InnoDB; \
CREATE TABLE IF NOT EXISTS dlock_fence \
(`key` VARBINARY(192) NOT NULL PRIMARY KEY, n BIGINT UNSIGNED NOT NULL) ENGINE=InnoDB";

/// A key as both tables have it: as the server knows the name.
fn row(is_mariadb: bool, key: &Key) -> String {
    if is_mariadb { name(true, key) } else { folded(key) }
}

/// Raises the bid, in a commit of its own, and returns it. The fence's row is there from now on: a row that is
/// not there yet would be locked with its neighbours.
pub(crate) fn raise_bid(is_mariadb: bool, key: &Key) -> String {
    let row = row(is_mariadb, key);
    format!(
        "INSERT INTO dlock_bid (`key`,n) VALUES ({row},LAST_INSERT_ID(1)) \
         ON DUPLICATE KEY UPDATE n=LAST_INSERT_ID(n+1);\
         INSERT IGNORE INTO dlock_fence (`key`,n) VALUES ({row},0);\
         SELECT LAST_INSERT_ID() LIMIT 1"
    )
}

/// Raises the fence to the bid, or higher, and returns what it was: behind the transactions that have it
/// locked, for which it waits so many milliseconds. What it waits in is a read: MySQL ends no other statement
/// after less than a second.
pub(crate) fn raise_fence(is_mariadb: bool, key: &Key, bid: u64, millis: u64) -> String {
    let (row, select) = (row(is_mariadb, key), bounded(is_mariadb, millis));
    format!(
        "START TRANSACTION;{select} n FROM dlock_fence WHERE `key`={row} LIMIT 1 FOR UPDATE;\
         UPDATE dlock_fence SET n=GREATEST(n+1,{bid}) WHERE `key`={row};COMMIT"
    )
}

/// MariaDB from 10.1.2 on; before, as long as `innodb_lock_wait_timeout` says.
fn bounded(is_mariadb: bool, millis: u64) -> String {
    match is_mariadb {
        true => format!(
            "/*M!100102 SET STATEMENT max_statement_time={}.{:03} FOR*/ SELECT",
            millis / 1000,
            millis % 1000
        ),
        false => Statements::select(false, millis),
    }
}

/// The bid, without a lock.
pub(crate) fn bid(is_mariadb: bool, key: &Key) -> String {
    format!("SELECT n FROM dlock_bid WHERE `key`={} LIMIT 1", row(is_mariadb, key))
}

/// The fence, which is not raised before the transaction is over. In this form it asks for the same privileges
/// on all servers.
pub(crate) fn fence(is_mariadb: bool, key: &Key) -> String {
    let row = row(is_mariadb, key);
    format!("SELECT n FROM dlock_fence WHERE `key`={row} LIMIT 1 LOCK IN SHARE MODE")
}

/// Has MariaDB end a transaction that is idle for so many seconds, where it does not sooner.
pub(crate) fn idle(seconds: u64) -> String {
    format!(
        "SET SESSION idle_transaction_timeout=IF(@@SESSION.idle_transaction_timeout BETWEEN 1 \
         AND {seconds},@@SESSION.idle_transaction_timeout,{seconds})"
    )
}

#[cfg(test)]
mod tests {
    use super::{DDL, MISSING, bounded};

    #[test]
    fn what_is_missing_is_said_whole() {
        assert!(MISSING.ends_with(DDL));
    }

    #[test]
    fn a_wait_is_bounded_to_the_millisecond() {
        let maria = "/*M!100102 SET STATEMENT max_statement_time=1.050 FOR*/ SELECT";
        assert_eq!(bounded(true, 1050), maria);
        assert_eq!(bounded(false, 50), "SELECT /*+ MAX_EXECUTION_TIME(50) */");
    }
}
