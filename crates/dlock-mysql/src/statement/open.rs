//! What is said to a session that was just opened.

use super::IDENTITY;

/// Lifts what limits or changes statements, whatever the server's defaults are, and has the server end the
/// session when it was idle for so many seconds. A transaction that is idle ends with its session, no sooner.
/// <https://dev.mysql.com/doc/refman/8.4/en/server-system-variables.html#sysvar_wait_timeout>,
/// <https://mariadb.com/kb/en/transaction-timeouts/>.
pub(crate) fn clean(is_mariadb: bool, seconds: u64) -> String {
    let more = match is_mariadb {
        true => {
            "/*M!100101 ,max_statement_time=0*//*M!100300 ,idle_transaction_timeout=0,\
             idle_readonly_transaction_timeout=0,idle_write_transaction_timeout=0*/"
        }
        false => "/*!50708 ,max_execution_time=0*/",
    };
    format!(
        "SET SESSION wait_timeout={seconds},autocommit=1,completion_type=0,sql_mode='',\
         sql_select_limit=18446744073709551615{more}"
    )
}

/// Behind a default that makes every transaction read only, no fence could be raised.
pub(crate) const READ_WRITE: &str = "SET SESSION TRANSACTION READ WRITE";

/// The session's number, its `wait_timeout` in seconds, the longest packet that the server takes in bytes, and
/// what tells this server's run from another's: who it is, and the second when it was started. Both times in that
/// are the statement's own, so that they differ by the same in every session.
pub(crate) fn look(is_mariadb: bool) -> String {
    let status = match is_mariadb {
        true => "information_schema.GLOBAL_STATUS",
        false => "performance_schema.global_status",
    };
    format!(
        "SELECT CONNECTION_ID(),@@SESSION.wait_timeout,@@max_allowed_packet,\
         CONCAT({IDENTITY},' since ',UNIX_TIMESTAMP()-CAST(VARIABLE_VALUE AS SIGNED)) \
         FROM {status} WHERE VARIABLE_NAME='Uptime' LIMIT 1"
    )
}
