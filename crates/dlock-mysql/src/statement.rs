//! Every text that goes to the server.

pub(crate) mod batch;
pub(crate) mod check;
pub(crate) mod fence;
pub(crate) mod inspect;
pub(crate) mod open;

use crate::Key;
use dlock_core::Wait;
use std::fmt::Write;

/// The longest wait of one statement, in milliseconds, a good 24 days: what both servers take for a
/// `MAX_EXECUTION_TIME`, in whole seconds.
pub(crate) const LONGEST: u64 = 2_147_483_000;

/// For how many seconds the server has been up.
pub(crate) const UPTIME: &str = "SHOW GLOBAL STATUS LIKE 'Uptime'";

/// Which server this is: a copied directory has its `server_uuid` copied, and MariaDB has no such thing before
/// 10.10. It skips the comment, also behind a proxy that says it is MySQL.
/// <https://mariadb.com/kb/en/comment-syntax/>.
pub(crate) const IDENTITY: &str =
    "CONCAT(/*!50700 @@server_uuid,' ',*/@@hostname,':',@@port,' ',@@server_id)";

/// The same alone.
pub(crate) fn identify() -> String {
    format!("SELECT {IDENTITY} LIMIT 1")
}

/// Ends a session.
pub(crate) fn kill(id: u64) -> String {
    format!("KILL {id}")
}

/// Ends the statement that a session runs, and nothing where it is idle.
pub(crate) fn kill_query(id: u64) -> String {
    format!("KILL QUERY {id}")
}

/// A key as a literal: its bytes in hexadecimal, whatever the session's SQL mode is. MySQL wants text, whatever
/// the connection's character set is; MariaDB knows a name by its bytes.
fn name(is_mariadb: bool, key: &Key) -> String {
    let mut name = String::from(if is_mariadb { "0x" } else { "_utf8mb4 0x" });
    for byte in key.as_str().bytes() {
        let _ = write!(name, "{byte:02x}");
    }
    name
}

/// What is said of one key to one server. `LIMIT` is everywhere, since a session's `sql_select_limit` may
/// be 0.
#[derive(Debug)]
pub(crate) struct Statements {
    pub(crate) is_mariadb: bool,
    /// The key as a literal.
    name: String,
    release: String,
}

impl Statements {
    pub(crate) fn new(is_mariadb: bool, key: &Key) -> Self {
        let name = name(is_mariadb, key);
        let release = format!("SELECT RELEASE_LOCK({name}) LIMIT 1");
        Self { is_mariadb, name, release }
    }

    /// 1: released; 0: another's; NULL: nobody's.
    pub(crate) fn release(&self) -> &str {
        &self.release
    }

    /// Who holds the key.
    pub(crate) fn holder(&self) -> String {
        format!("SELECT IS_USED_LOCK({}) LIMIT 1", self.name)
    }

    /// Acquires without waiting, over a session that somebody else may have had: -1 where it holds the key
    /// already, which would be granted once more; in another session than this it does nothing, and says
    /// which that is, plus two. Which server it is stands beside.
    pub(crate) fn attempt(&self, id: u64) -> String {
        let (select, name) = (Self::select(self.is_mariadb, 0), &self.name);
        format!(
            "{select} IF(CONNECTION_ID()<>{id},CONNECTION_ID()+2,\
             IF(IS_USED_LOCK({name})={id},-1,GET_LOCK({name},0))),{IDENTITY} LIMIT 1"
        )
    }

    /// Acquires over a session that is known not to hold the key. There is one `GET_LOCK` and nothing after
    /// it, since an interruption there would leave it granted.
    pub(crate) fn acquire(&self, millis: u64) -> String {
        let (select, name) = (Self::select(self.is_mariadb, millis), &self.name);
        match (self.is_mariadb, millis) {
            (_, 0) => format!("{select} GET_LOCK({name},0) LIMIT 1"),
            // It rounds to whole seconds: the wait is over before those are.
            (false, _) => format!("{select} GET_LOCK({name},{}) LIMIT 1", millis / 1000 + 2),
            (true, _) => {
                let (seconds, rest) = (millis / 1000, millis % 1000);
                format!("{select} GET_LOCK({name},{seconds}.{rest:03}) LIMIT 1")
            }
        }
    }

    /// How a statement starts that waits, with the session's own limit on statements lifted: by MySQL's
    /// `MAX_EXECUTION_TIME` (milliseconds, a literal), which ends the wait; by MariaDB from 10.1.2 on, when
    /// it has such a limit.
    fn select(is_mariadb: bool, millis: u64) -> String {
        match (is_mariadb, millis) {
            (true, _) => "/*M!100102 SET STATEMENT max_statement_time=0 FOR*/ SELECT".to_owned(),
            (false, 0) => format!("SELECT /*+ MAX_EXECUTION_TIME({LONGEST}) */"),
            (false, _) => format!("SELECT /*+ MAX_EXECUTION_TIME({millis}) */"),
        }
    }
}

/// How long a statement waits.
pub(crate) fn millis(wait: Wait) -> u64 {
    wait.limit().map_or(LONGEST, Wait::millis).min(LONGEST)
}

#[cfg(test)]
mod tests {
    use super::{IDENTITY, LONGEST, Statements, millis};
    use crate::Key;
    use dlock_core::Wait;
    use std::time::Duration;

    /// For MySQL, for MariaDB.
    fn acquires(wait: Wait) -> [String; 2] {
        [false, true]
            .map(|is_mariadb| Statements::new(is_mariadb, &Key::from(1)).acquire(millis(wait)))
    }

    /// The milliseconds and seconds of MySQL, and the seconds of MariaDB.
    fn expected(limit: &str, seconds: &str, maria: &str) -> [String; 2] {
        let hint = format!("/*+ MAX_EXECUTION_TIME({limit}) */");
        let lift = "/*M!100102 SET STATEMENT max_statement_time=0 FOR*/";
        [
            format!("SELECT {hint} GET_LOCK(_utf8mb4 0x31,{seconds}) LIMIT 1"),
            format!("{lift} SELECT GET_LOCK(0x31,{maria}) LIMIT 1"),
        ]
    }

    #[test]
    fn durations_round_up() {
        let wait = Wait::For(Duration::from_nanos(1_499_000_001));
        assert_eq!(acquires(wait), expected("1500", "3", "1.500"));
        let wait = Wait::For(Duration::from_nanos(1));
        assert_eq!(acquires(wait), expected("1", "2", "0.001"));
    }

    #[test]
    fn milliseconds_keep_their_place() {
        let wait = Wait::For(Duration::from_millis(2_005));
        assert_eq!(acquires(wait), expected("2005", "4", "2.005"));
    }

    #[test]
    fn no_wait_is_zero_seconds_and_no_limit() {
        assert_eq!(acquires(Wait::No), expected("2147483000", "0", "0"));
    }

    #[test]
    fn the_longest_slice_fits() {
        for wait in [Wait::For(Duration::from_millis(LONGEST)), Wait::Forever] {
            assert_eq!(acquires(wait), expected("2147483000", "2147485", "2147483.000"));
        }
    }

    #[test]
    fn only_the_session_that_is_named_acquires() {
        let attempt = Statements::new(true, &Key::from(1)).attempt(7);
        let (_, asks) = attempt.split_once("SELECT ").unwrap();
        let inner = "IF(IS_USED_LOCK(0x31)=7,-1,GET_LOCK(0x31,0))";
        let expected =
            format!("IF(CONNECTION_ID()<>7,CONNECTION_ID()+2,{inner}),{IDENTITY} LIMIT 1");
        assert_eq!(asks, expected);
    }

    #[test]
    fn a_name_is_hexadecimal() {
        let statements = Statements::new(false, &Key::try_from("a'\\\n").unwrap());
        assert_eq!(statements.release(), "SELECT RELEASE_LOCK(_utf8mb4 0x61275c0a) LIMIT 1");
    }
}
