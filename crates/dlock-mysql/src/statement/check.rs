//! What the check-up looks at.

/// The number of the session that runs it, and the server's clock in milliseconds since 1970.
pub(crate) const LOOK: &str = "SELECT CONNECTION_ID(),\
                               TIMESTAMPDIFF(MICROSECOND,'1970-01-01',UTC_TIMESTAMP(6)) DIV 1000 LIMIT 1";

/// Settings that change what a lock is worth; a server has those that it knows.
pub(crate) const SETTINGS: &str = "SHOW VARIABLES WHERE Variable_name IN ('version','wsrep_on',\
                                   'read_only','group_replication_single_primary_mode')";

/// How many nodes a Galera cluster has.
pub(crate) const NODES: &str = "SHOW GLOBAL STATUS LIKE 'wsrep_cluster_size'";

/// How many members a replication group of MySQL has that take part.
pub(crate) const MEMBERS: &str = "SELECT COUNT(*) FROM performance_schema.replication_group_members \
                                  WHERE MEMBER_STATE='ONLINE' LIMIT 1";

/// What this user may do.
pub(crate) const GRANTS: &str = "SHOW GRANTS";

/// Whether a grant lets end the sessions of others.
pub(crate) fn lets_end_others(grant: &str) -> bool {
    let Some((privileges, _)) = grant.split_once(" ON *.* ") else { return false };
    ["ALL PRIVILEGES", "SUPER", "CONNECTION_ADMIN", "CONNECTION ADMIN"]
        .iter()
        .any(|privilege| privileges.contains(privilege))
}
