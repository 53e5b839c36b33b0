//! What may be found.

use crate::Error;
use dlock_locks::check;
use dlock_locks::{Finding, Severity};

/// What refuses to open a session.
pub(super) fn refused(error: &Error) -> Finding {
    Finding::new(
        Severity::Fault,
        "old-server",
        format!("No session could be opened: {error}."),
        "A session that holds one named lock at a time cannot hold many.",
        "Upgrade the server.",
    )
}

pub(super) fn locks_nothing() -> Finding {
    check::locks_nothing("Connect to one MySQL or MariaDB server itself.")
}

pub(super) fn several_servers() -> Finding {
    Finding::new(
        Severity::Fault,
        "several-servers",
        "Two connections to this address ended at two servers.",
        "A lock on one of them excludes nobody on the other.",
        "Connect to one server by an address of its own.",
    )
}

pub(super) fn no_lease() -> Finding {
    Finding::new(
        Severity::Warning,
        "no-lease",
        "The server, or what stands before it, does not take wait_timeout for these sessions.",
        "A machine that vanished keeps its keys until TCP gives up, and nobody can say how long a lock is \
         trusted.",
        "Connect to the server without the proxy between.",
    )
}

pub(super) fn pooler() -> Finding {
    Finding::new(
        Severity::Fault,
        "transaction-pooler",
        "Statements of one connection ran in two sessions.",
        "A lock stays in a session that the pooler gives to others.",
        "Connect to the server without the pooler between, or have it keep to one session.",
    )
}

pub(super) fn proxy(told: u32, number: u64) -> Finding {
    Finding::new(
        Severity::Warning,
        "proxy",
        format!("The connection was told that it is session {told}, and is session {number}."),
        "A proxy stands between, which may give the session to others or keep it when its client is gone.",
        "Connect to the server itself, or have the proxy keep one session to each connection.",
    )
}

/// <https://galeracluster.com/library/training/tutorials/supporting-explicit-locking.html>
pub(super) fn galera(nodes: u64) -> Finding {
    Finding::new(
        if nodes > 1 { Severity::Fault } else { Severity::Warning },
        "several-nodes",
        format!("The server is a node of a Galera cluster of {nodes}."),
        "A named lock is known to its node alone, and may be held on each.",
        "Have all who lock connect to the same node, by an address of its own.",
    )
}

/// <https://dev.mysql.com/doc/refman/8.4/en/group-replication-limitations.html>
pub(super) fn group(members: u64, is_single: bool) -> Finding {
    Finding::new(
        if is_single { Severity::Warning } else { Severity::Fault },
        "several-nodes",
        format!("The server is a member of a replication group of {members}."),
        "A named lock is known to its member alone, and gone after a failover.",
        "Have all who lock connect to the same member, and fence what must not happen twice.",
    )
}

pub(super) fn read_only() -> Finding {
    Finding::new(
        Severity::Warning,
        "read-only",
        "The server is read only, as replicas are.",
        "A lock on a replica excludes nobody on the primary, and no fence can be raised.",
        "Have all who lock connect to the primary.",
    )
}

pub(super) fn cannot_end_others() -> Finding {
    Finding::new(
        Severity::Note,
        "cannot-end-others",
        "This user may not end the sessions of other users.",
        "It can free keys that sessions of its own hold, and no others.",
        "Grant CONNECTION_ADMIN (MySQL) or CONNECTION ADMIN (MariaDB) if it is to free keys of others.",
    )
}

pub(super) fn cannot_look(is_mariadb: bool) -> Finding {
    let advice = match is_mariadb {
        true => "INSTALL SONAME 'metadata_lock_info' on the server.",
        false => {
            "Switch performance_schema on, with its instrument `wait/lock/metadata/sql/mdl`, and grant \
             SELECT on performance_schema.* to this user."
        }
    };
    Finding::new(
        Severity::Note,
        "cannot-look",
        "The server has no list of named locks for this user.",
        "Who holds a key can be told for one key that is asked for, and not for all.",
        advice,
    )
}
