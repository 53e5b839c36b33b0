//! The blocks that are sent, and how they are called.

use oracle::sql_type::{OracleType, ToSql};
use oracle::{Connection, Error};

/// Asks for a lock: `seconds` in the server's queue, then a try every 10 milliseconds until
/// `hundredths` of a second have passed since the block began. A negative number means no tries.
///
/// `GET_TIME` counts hundredths of a second and wraps around at 2³²; its difference is at most one
/// hundredth more than the time that has passed, so the last try comes when it is greater.
/// <https://docs.oracle.com/en/database/oracle/oracle-database/21/arpls/DBMS_UTILITY.html>
pub(crate) const REQUEST: &str = "\
DECLARE
  since CONSTANT NUMBER := DBMS_UTILITY.GET_TIME;
  answer INTEGER;
BEGIN
  answer := SYS.DBMS_LOCK.REQUEST(
    id => :id, lockmode => :lockmode, timeout => :seconds, release_on_commit => (:on_commit = 1));
  WHILE answer = 1 AND MOD(DBMS_UTILITY.GET_TIME - since + 4294967296, 4294967296) <= :hundredths LOOP
    SYS.DBMS_LOCK.SLEEP(0.01);
    answer := SYS.DBMS_LOCK.REQUEST(
      id => :id, lockmode => :lockmode, timeout => 0, release_on_commit => (:on_commit = 1));
  END LOOP;
  :answer := answer;
END;";

/// Asks for another mode of a lock that is held; waits as [`REQUEST`] does.
pub(crate) const CONVERT: &str = "\
DECLARE
  since CONSTANT NUMBER := DBMS_UTILITY.GET_TIME;
  answer INTEGER;
BEGIN
  answer := SYS.DBMS_LOCK.CONVERT(id => :id, lockmode => :lockmode, timeout => :seconds);
  WHILE answer = 1 AND MOD(DBMS_UTILITY.GET_TIME - since + 4294967296, 4294967296) <= :hundredths LOOP
    SYS.DBMS_LOCK.SLEEP(0.01);
    answer := SYS.DBMS_LOCK.CONVERT(id => :id, lockmode => :lockmode, timeout => 0);
  END LOOP;
  :answer := answer;
END;";

/// Gives a lock back.
pub(crate) const RELEASE: &str = "\
BEGIN
  :answer := SYS.DBMS_LOCK.RELEASE(id => :id);
END;";

/// Does nothing.
pub(crate) const NOTHING: &str = "\
BEGIN
  NULL;
END;";

/// Runs a block, and gives its answer: a code of `DBMS_LOCK`.
pub(crate) fn call(
    connection: &Connection,
    block: &str,
    given: &[(&str, i64)],
) -> Result<i64, Error> {
    let mut binds: Vec<(&str, &dyn ToSql)> = vec![("answer", &OracleType::Int64)];
    binds.extend(given.iter().map(|(name, value)| (*name, value as &dyn ToSql)));
    connection.execute_named(block, &binds)?.bind_value("answer")
}
