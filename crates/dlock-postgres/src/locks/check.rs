//! The check-up: what would make locks lie on this server.

use super::{Server, ServerError, ServerSession, statement};
use crate::Key;
use dlock_locks::check::{clock, excludes, locks_nothing, now};
use dlock_locks::{Driver, Finding, Session, SessionOptions, Severity};
use std::error::Error;
use tokio_postgres::{Client, Row};

const ADVICE: &str = "Use a server that has advisory locks: CockroachDB has none, and a multi-node one may keep \
                      them per node.";
const STEP: &str =
    "A clock that is wrong will be set right, and a step of the server's clock ends leases early.";

pub(super) async fn check(
    server: &Server,
    options: &SessionOptions,
) -> Result<Vec<Finding>, ServerError> {
    let session = match server.open(options).await {
        Ok(session) => session,
        Err(error) => return refused(error).map(|finding| vec![finding]),
    };
    let found = look(server, options, &session).await;
    session.end().await;
    found
}

async fn look(
    server: &Server,
    options: &SessionOptions,
    session: &ServerSession,
) -> Result<Vec<Finding>, ServerError> {
    let asked = now();
    let rows = session.client.query_typed(statement::CHECK, &[]).await?;
    let (answered, row) = (now(), rows.first().ok_or(ServerError::Answer)?);
    let other = server.open(options).await?;
    let excludes =
        excludes(session, &other, Key::from(i64::from_be_bytes(fastrand::u64(..).to_be_bytes())))
            .await;
    other.end().await;
    let mut found = Vec::new();
    found.extend((!excludes?).then(|| locks_nothing(ADVICE)));
    found.extend((!session.has_lease()).then(|| no_lease(row)).transpose()?);
    found.extend(clock(row.try_get("clock")?, asked, answered, STEP));
    found.extend(grants(row)?);
    if row.try_get("can_look")? {
        found.extend(lock_table(&session.client, row.try_get("room")?).await?);
    }
    Ok(found)
}

/// What refuses to open a session is a finding where it is no failure.
fn refused(error: ServerError) -> Result<Finding, ServerError> {
    let (name, why, advice) = match &error {
        ServerError::Standby => (
            "standby",
            "Locks here exclude nobody on the primary.",
            "Connect to the primary, or give all hosts and target_session_attrs=read-write.",
        ),
        ServerError::LocksNothing => {
            ("locks-nothing", "Its functions say yes to everybody, so nothing is excluded.", ADVICE)
        }
        ServerError::Pooler(_) => (
            "transaction-pooler",
            "A lock stays on a server process that the pooler gives to others.",
            "Connect to the server itself, by its own host and port; `XactLock` works through a pooler.",
        ),
        ServerError::Setup { source: None, .. } => {
            ("old-server", "It has no settings that sessions need.", "Upgrade the server.")
        }
        _ => return Err(error),
    };
    // The driver's own error says no more than that there is another.
    let source = error.source().map(|source| source.source().unwrap_or(source));
    let source = source.map(|source| format!(" ({source})")).unwrap_or_default();
    Ok(Finding::new(Severity::Fault, name, format!("{error}{source}."), why, advice))
}

fn no_lease(row: &Row) -> Result<Finding, ServerError> {
    let (version, lease): (&str, Option<&str>) = (row.try_get("version")?, row.try_get("lease")?);
    let what = match lease {
        Some(lease) => {
            format!("The server has idle_session_timeout at {lease} for these sessions.")
        }
        None => format!("The server is {version}, which has no idle_session_timeout."),
    };
    Ok(Finding::new(
        Severity::Warning,
        "no-lease",
        what,
        "A machine that vanished keeps its keys until TCP gives up, and nobody can say how long a lock is \
         trusted.",
        "Upgrade to PostgreSQL 14, and let sessions set idle_session_timeout.",
    ))
}

fn grants(row: &Row) -> Result<Vec<Finding>, ServerError> {
    let mut found = Vec::new();
    if !row.try_get::<_, bool>("can_look")? {
        found.push(Finding::new(
            Severity::Note,
            "cannot-look",
            "This role may not call pg_catalog.pg_lock_status().",
            "Nobody can be told who holds a key, and what an interrupted statement left cannot be undone.",
            "GRANT EXECUTE ON FUNCTION pg_catalog.pg_lock_status() to this role.",
        ));
    }
    if !row.try_get::<_, bool>("can_end")? {
        found.push(Finding::new(
            Severity::Note,
            "cannot-end-others",
            "This role is no member of pg_signal_backend.",
            "It can free keys that sessions of its own role hold, and no others.",
            "GRANT pg_signal_backend to this role if it is to free keys of other roles.",
        ));
    }
    Ok(found)
}

/// Full, it refuses everybody's statements.
/// <https://www.postgresql.org/docs/current/runtime-config-locks.html>
async fn lock_table(client: &Client, room: i64) -> Result<Option<Finding>, ServerError> {
    let rows = client.query_typed(statement::COUNT, &[]).await?;
    let count: i64 = rows.first().ok_or(ServerError::Answer)?.try_get(0)?;
    let is_nearly_full = count.saturating_mul(10) > room.saturating_mul(7);
    Ok(is_nearly_full.then(|| {
        Finding::new(
            Severity::Warning,
            "lock-table",
            format!("The server's lock table has {count} locks and room for about {room}."),
            "When it is full, everybody's statements on this server fail.",
            "Hold fewer keys at a time, or raise max_locks_per_transaction.",
        )
    }))
}

#[cfg(test)]
mod tests {
    use super::refused;
    use crate::ServerError;

    #[test]
    fn what_cannot_be_asked_is_no_finding() {
        let old = refused(ServerError::setup("the server is older than PostgreSQL 12", None));
        assert_eq!(old.expect("a finding").name, "old-server");
        assert!(refused(ServerError::Answer).is_err());
    }
}
