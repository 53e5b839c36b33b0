//! Who holds and who waits. Never from `information_schema.PROCESSLIST`: MariaDB makes a temporary table of
//! that, and 10.11.19 has died in dropping one.

use super::batch::folded;
use super::name;
use crate::Key;

/// Whether MySQL keeps a list of such locks: how many instruments are on that make it.
/// <https://dev.mysql.com/doc/refman/8.4/en/performance-schema-metadata-locks-table.html>
pub(crate) const HAS_LIST: &str = "SELECT COUNT(*) FROM performance_schema.setup_instruments \
                                   WHERE NAME='wait/lock/metadata/sql/mdl' AND ENABLED='YES' LIMIT 1";

/// Of MySQL, for any key or for one: the name, whether it waits, the session, its user, its host, what it
/// calls itself, and for how many seconds it has been doing what it does.
pub(crate) fn mysql_list(key: Option<&Key>) -> String {
    let which = key.map_or_else(String::new, |key| {
        format!(" AND CAST(m.OBJECT_NAME AS BINARY)={}", folded(key))
    });
    format!(
        "SELECT CAST(m.OBJECT_NAME AS BINARY),m.LOCK_STATUS='PENDING',t.PROCESSLIST_ID,\
         t.PROCESSLIST_USER,t.PROCESSLIST_HOST,a.ATTR_VALUE,t.PROCESSLIST_TIME \
         FROM performance_schema.metadata_locks m \
         JOIN performance_schema.threads t ON t.THREAD_ID=m.OWNER_THREAD_ID \
         LEFT JOIN performance_schema.session_connect_attrs a \
         ON a.PROCESSLIST_ID=t.PROCESSLIST_ID AND a.ATTR_NAME='program_name' \
         WHERE m.OBJECT_TYPE='USER LEVEL LOCK' AND m.LOCK_STATUS IN ('GRANTED','PENDING') \
         AND t.PROCESSLIST_ID IS NOT NULL{which}"
    )
}

/// Of MariaDB with its plugin: the name and the session of each that is held.
/// <https://mariadb.com/kb/en/metadata-lock-info-plugin/>
pub(crate) const MARIADB_LIST: &str = "SELECT CAST(TABLE_SCHEMA AS BINARY),THREAD_ID \
                                       FROM information_schema.METADATA_LOCK_INFO \
                                       WHERE LOCK_TYPE='User lock'";

/// The session that holds this key.
pub(crate) fn holder(is_mariadb: bool, key: &Key) -> String {
    format!("SELECT IS_USED_LOCK({}) LIMIT 1", name(is_mariadb, key))
}

/// Sessions, with the first hundred characters of what each runs. Whoever may not see others sees his own.
pub(crate) const SESSIONS: &str = "SHOW PROCESSLIST";
