//! Every text that goes to the server on a session of [`Locks`](crate::Locks), beside those of a lock.

use crate::Mode;
use crate::statement::{Code, call};
use oracle::sql_type::OracleType;
use oracle::{Connection, Error};

/// One more second means forever.
/// <https://docs.oracle.com/en/database/oracle/oracle-database/21/arpls/DBMS_LOCK.html>
const LONGEST: i64 = 32_766;

/// The characters of a part of a batch.
const ASK: usize = 21;

/// Tries and releases of many ids, 21 characters each: the mode to try, or 0 to let go; the id; and the id
/// of its turnstile, or a negative number for none. Answers a code of `DBMS_LOCK` each, as one digit.
///
/// A turnstile that is held elsewhere is as good as the id itself; what was taken of it is given back before
/// the next id. Two texts go with a call, however many ids there are, so that the statement is the same for
/// any number of them: one with the ids in it would have to be parsed anew each time.
const BATCH: &str = "\
DECLARE
  asks CONSTANT VARCHAR2(32767) := :asks;
  answers VARCHAR2(32767);
  place INTEGER := 1;
  mode_or_zero INTEGER;
  lock_id INTEGER;
  turnstile INTEGER;
  passed INTEGER;
  answer INTEGER;
BEGIN
  WHILE place < LENGTHB(asks) LOOP
    mode_or_zero := TO_NUMBER(SUBSTRB(asks, place, 1));
    lock_id := TO_NUMBER(SUBSTRB(asks, place + 1, 10));
    turnstile := TO_NUMBER(SUBSTRB(asks, place + 11, 10));
    passed := 0;
    IF mode_or_zero = 0 THEN
      answer := SYS.DBMS_LOCK.RELEASE(id => lock_id);
    ELSE
      IF turnstile >= 0 THEN
        passed := SYS.DBMS_LOCK.REQUEST(id => turnstile, lockmode => 4, timeout => 0);
      END IF;
      answer := 1;
      IF passed IN (0, 4) THEN
        answer := SYS.DBMS_LOCK.REQUEST(id => lock_id, lockmode => mode_or_zero, timeout => 0);
      END IF;
    END IF;
    IF turnstile >= 0 AND passed = 0 THEN
      passed := SYS.DBMS_LOCK.RELEASE(id => turnstile);
    END IF;
    answers := answers || TO_CHAR(answer);
    place := place + 21;
  END LOOP;
  :answers := answers;
END;";

/// Waits for an id, behind its turnstile where that is not negative, for so many seconds altogether; less
/// than half of one is none.
const WAIT: &str = "\
DECLARE
  since CONSTANT NUMBER := SYS.DBMS_UTILITY.GET_TIME;
  seconds INTEGER := :seconds;
  turnstile CONSTANT INTEGER := :turnstile;
  passed INTEGER := 4;
  answer INTEGER;
BEGIN
  IF turnstile >= 0 THEN
    passed := SYS.DBMS_LOCK.REQUEST(id => turnstile, lockmode => 4, timeout => seconds);
    seconds := GREATEST(0, seconds
      - ROUND(MOD(SYS.DBMS_UTILITY.GET_TIME - since + 4294967296, 4294967296) / 100));
  END IF;
  IF passed = 0 THEN
    answer := SYS.DBMS_LOCK.RELEASE(id => turnstile);
  END IF;
  answer := passed;
  IF passed IN (0, 4) THEN
    answer := SYS.DBMS_LOCK.REQUEST(id => :id, lockmode => :lockmode, timeout => seconds);
  END IF;
  :answer := answer;
END;";

/// Gives a session its name, and asks which database it is on, and in which role that is.
///
/// User locks are those of the whole database, however many instances it has. Where it has one, the time
/// of its start tells it from what it was before, if the user may read that.
const BEGIN: &str = "\
DECLARE
  instance VARCHAR2(4000) := ' cluster';
  started VARCHAR2(100);
BEGIN
  SYS.DBMS_APPLICATION_INFO.SET_MODULE(module_name => :module, action_name => NULL);
  IF NOT SYS.DBMS_UTILITY.IS_CLUSTER_DATABASE THEN
    BEGIN
      EXECUTE IMMEDIATE
        'SELECT TO_CHAR(startup_time, ''YYYY-MM-DD HH24:MI:SS'') FROM sys.v_$instance' INTO started;
    EXCEPTION
      WHEN OTHERS THEN NULL;
    END;
    instance := ' ' || SYS_CONTEXT('USERENV', 'INSTANCE_NAME')
      || '@' || SYS_CONTEXT('USERENV', 'SERVER_HOST') || ' ' || started;
  END IF;
  :role := SYS_CONTEXT('USERENV', 'DATABASE_ROLE');
  :server := SYS_CONTEXT('USERENV', 'DB_UNIQUE_NAME') || instance;
END;";

/// Who holds and who waits, on every instance; of one id, or of all.
const HOLDERS: &str = "\
SELECT l.id1, l.lmode, l.request, l.ctime, l.sid || ',' || s.serial# || ',@' || l.inst_id AS address,
  s.username, s.machine, s.program, s.module
FROM sys.gv_$lock l JOIN sys.gv_$session s ON s.inst_id = l.inst_id AND s.sid = l.sid
WHERE l.type = 'UL' AND l.id1 = NVL(:id, l.id1)";

/// How many user locks a session still has.
const LEFT: &str = "\
SELECT COUNT(*)
FROM sys.gv_$lock l JOIN sys.gv_$session s ON s.inst_id = l.inst_id AND s.sid = l.sid
WHERE l.type = 'UL' AND l.sid || ',' || s.serial# || ',@' || l.inst_id = :address";

/// Whether the user may end sessions. Everybody may look at his own privileges.
const MAY_END: &str = "SELECT COUNT(*) FROM sys.session_privs WHERE privilege IN ('ALTER SYSTEM')";

/// Milliseconds since 1970, by the server's clock.
const CLOCK: &str = "\
DECLARE
  since INTERVAL DAY(9) TO SECOND :=
    SYS_EXTRACT_UTC(SYSTIMESTAMP) - TIMESTAMP '1970-01-01 00:00:00';
BEGIN
  :millis := ROUND(1000 * (EXTRACT(DAY FROM since) * 86400 + EXTRACT(HOUR FROM since) * 3600
    + EXTRACT(MINUTE FROM since) * 60 + EXTRACT(SECOND FROM since)));
END;";

/// A row of [`HOLDERS`]: id, `LMODE`, `REQUEST`, seconds, address, and what is known of the session.
pub(in crate::locks) type Shown =
    (u32, i64, i64, u64, String, Option<String>, Option<String>, Option<String>, Option<String>);

/// Tries and releases what `asks` says, and gives a digit for each.
pub(in crate::locks) fn batch(connection: &Connection, asks: &str) -> Result<String, Error> {
    let digits = u32::try_from(asks.len() / ASK).unwrap_or(u32::MAX);
    connection.execute(BATCH, &[&asks, &OracleType::Varchar2(digits)])?.bind_value(2)
}

/// One part of a [`batch`].
pub(in crate::locks) fn ask(mode: Option<Mode>, id: u32, turnstile: Option<u32>) -> String {
    let (mode, turnstile) = (mode.map_or(0, Mode::number), turnstile.map_or(-1, i64::from));
    format!("{mode}{id:010}{turnstile:010}")
}

pub(in crate::locks) fn wait(
    connection: &Connection,
    id: u32,
    mode: Mode,
    turnstile: Option<u32>,
    seconds: u64,
) -> Code {
    let seconds = i64::try_from(seconds).unwrap_or(LONGEST).min(LONGEST);
    let turnstile = turnstile.map_or(-1, i64::from);
    call(connection, WAIT, &[&seconds, &turnstile, &id, &mode.number()])
}

/// Names a session, and gives the role of its database, and which that is.
pub(in crate::locks) fn begin(
    connection: &Connection,
    name: &str,
) -> Result<(Option<String>, String), Error> {
    let text = OracleType::Varchar2(1000);
    let answer = connection.execute(BEGIN, &[&name, &text, &text])?;
    Ok((answer.bind_value(2)?, answer.bind_value(3)?))
}

pub(in crate::locks) fn holders(
    connection: &Connection,
    id: Option<u32>,
) -> Result<Vec<Shown>, Error> {
    connection.query_as::<Shown>(HOLDERS, &[&id])?.collect()
}

/// Ends a session of another, by `sid,serial#,@instance`, all of them numbers.
pub(in crate::locks) fn end_session(
    connection: &Connection,
    address: [u32; 3],
) -> Result<(), Error> {
    let [sid, serial, instance] = address;
    let text = format!("ALTER SYSTEM KILL SESSION '{sid},{serial},@{instance}' IMMEDIATE");
    connection.execute(&text, &[]).map(drop)
}

/// Whether a session has no user lock any more.
pub(in crate::locks) fn has_let_go(connection: &Connection, address: &str) -> Result<bool, Error> {
    connection.query_row_as::<i64>(LEFT, &[&address]).map(|left| left == 0)
}

pub(in crate::locks) fn may_end(connection: &Connection) -> Result<bool, Error> {
    connection.query_row_as::<i64>(MAY_END, &[]).map(|count| count > 0)
}

pub(in crate::locks) fn clock(connection: &Connection) -> Code {
    call(connection, CLOCK, &[])
}
