//! Everything that is sent, beside what [`Locks`](crate::Locks) sends.

use crate::Mode;
use crate::session::Claim;
use dlock_core::Wait;
use oracle::sql_type::{OracleType, ToSql};
use oracle::{Connection, Error};
use std::time::Duration;

/// What a wait may be early by, so that a whole second is not spent on tries.
const HUNDREDTH: Duration = Duration::from_millis(10);

/// How long a block waits in the queue, in seconds, and how long it goes on trying since it began, in
/// hundredths of a second.
fn spans(limit: Duration) -> (i64, i64) {
    if limit.is_zero() {
        return (0, -1);
    }
    let whole = |number| i64::try_from(number).unwrap_or(i64::MAX);
    (whole((limit + HUNDREDTH).as_secs()), whole(Wait::millis(limit).div_ceil(10)))
}

/// Asks for a lock: `seconds` in the server's queue, then a try every 10 milliseconds until
/// `hundredths` of a second have passed since the block began; a negative number means none.
///
/// `GET_TIME` counts hundredths of a second and wraps around at 2³²; its difference is at most one
/// hundredth more than the time that has passed, so the last try comes when it is greater.
/// <https://docs.oracle.com/en/database/oracle/oracle-database/21/arpls/DBMS_UTILITY.html>
const REQUEST: &str = "\
DECLARE
  since CONSTANT NUMBER := DBMS_UTILITY.GET_TIME;
  seconds INTEGER := :seconds;
  answer INTEGER;
BEGIN
  LOOP
    answer := SYS.DBMS_LOCK.REQUEST(
      id => :id, lockmode => :lockmode, timeout => seconds, release_on_commit => (:on_commit = 1));
    EXIT WHEN answer <> 1
      OR MOD(DBMS_UTILITY.GET_TIME - since + 4294967296, 4294967296) > :hundredths;
    SYS.DBMS_LOCK.SLEEP(0.01);
    seconds := 0;
  END LOOP;
  :answer := answer;
END;";

/// Asks for another mode of a lock that is held; waits as [`REQUEST`] does.
const CONVERT: &str = "\
DECLARE
  since CONSTANT NUMBER := DBMS_UTILITY.GET_TIME;
  seconds INTEGER := :seconds;
  answer INTEGER;
BEGIN
  LOOP
    answer := SYS.DBMS_LOCK.CONVERT(id => :id, lockmode => :lockmode, timeout => seconds);
    EXIT WHEN answer <> 1
      OR MOD(DBMS_UTILITY.GET_TIME - since + 4294967296, 4294967296) > :hundredths;
    SYS.DBMS_LOCK.SLEEP(0.01);
    seconds := 0;
  END LOOP;
  :answer := answer;
END;";

/// Gives a lock back.
const RELEASE: &str = "\
BEGIN
  :answer := SYS.DBMS_LOCK.RELEASE(id => :id);
END;";

/// What a block ends with: a code of `DBMS_LOCK`.
pub(crate) type Code = Result<i64, Error>;

pub(crate) fn request(connection: &Connection, claim: &Claim, mode: Mode, limit: Duration) -> Code {
    let ((seconds, hundredths), on_commit) = (spans(limit), i64::from(claim.on_commit));
    call(connection, REQUEST, &[&seconds, &claim.id, &mode.number(), &on_commit, &hundredths])
}

pub(crate) fn convert(connection: &Connection, id: u32, mode: Mode, limit: Duration) -> Code {
    let (seconds, hundredths) = spans(limit);
    call(connection, CONVERT, &[&seconds, &id, &mode.number(), &hundredths])
}

pub(crate) fn release(connection: &Connection, id: u32) -> Code {
    connection.execute(RELEASE, &[&OracleType::Int64, &id])?.bind_value(1)
}

/// Runs a block with its binds in the order of its text, the answer last.
pub(crate) fn call(connection: &Connection, block: &str, given: &[&dyn ToSql]) -> Code {
    let binds = [given, &[&OracleType::Int64]].concat();
    connection.execute(block, &binds)?.bind_value(binds.len())
}

#[cfg(test)]
mod tests {
    use super::spans;
    use std::time::Duration;

    #[test]
    fn a_wait_is_in_the_queue_and_ends_in_tries() {
        let cases = [
            (0, (0, -1)),
            (1_000, (0, 1)),
            (300_000, (0, 30)),
            (999_900, (1, 100)),
            (1_501_000, (1, 151)),
            (4_000_000, (4, 400)),
        ];
        for (micros, expected) in cases {
            assert_eq!(spans(Duration::from_micros(micros)), expected, "{micros}");
        }
    }
}
