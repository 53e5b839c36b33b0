//! The check-up: what would make locks lie on this database.

use super::{Server, ServerSession, statement};
use crate::{Error, Key, answer};
use dlock_locks::check::{clock, excludes, locks_nothing, now};
use dlock_locks::{Driver, Finding, InspectDriver, Session, SessionOptions, Severity};
use std::hash::{BuildHasher, RandomState};

const ADVICE: &str =
    "Look at what DBMS_LOCK is here, and whether all sessions are on one database.";
const LOGS: &str = "No lock hangs on it, since there is no lease, but the two write logs that do not fit together.";

pub(super) async fn check(
    server: &Server,
    options: &SessionOptions,
) -> Result<Vec<Finding>, Error> {
    let session = match server.open(options).await {
        Ok(session) => session,
        Err(error) if answer::is_standby(&error) => return Ok(vec![standby(&error)]),
        Err(error) => return Err(error),
    };
    let found = look(server, options, &session).await;
    session.end().await;
    found
}

async fn look(
    server: &Server,
    options: &SessionOptions,
    session: &ServerSession,
) -> Result<Vec<Finding>, Error> {
    let other = server.open(options).await?;
    let key = Key::from(format!("dlock check {}", RandomState::new().hash_one(())));
    let excludes = excludes(session, &other, key).await;
    other.end().await;
    let mut found = Vec::new();
    match excludes {
        Err(error @ Error::Setup { .. }) => found.push(no_grant(&error)),
        excludes => found.extend((!excludes?).then(|| locks_nothing(ADVICE))),
    }
    found.extend(session.is_cluster().then(cluster));
    found.extend(grants(session).await?);
    let asked = now();
    let server = session.caller().call(statement::clock).await?;
    found.extend(clock(server, asked, now(), LOGS));
    Ok(found)
}

async fn grants(session: &ServerSession) -> Result<Vec<Finding>, Error> {
    let mut found = Vec::new();
    if let Err(error @ Error::Setup { .. }) = Server::holders(session, None).await {
        found.push(cannot_look(&error));
    }
    if !session.caller().call(statement::may_end).await? {
        found.push(cannot_end_others());
    }
    Ok(found)
}

fn standby(error: &Error) -> Finding {
    let (why, advice) = (
        "Locks here exclude nobody on the primary.",
        "Connect by a service that runs on the primary alone.",
    );
    Finding::new(Severity::Fault, "standby", sentence(error), why, advice)
}

fn no_grant(error: &Error) -> Finding {
    let (why, advice) =
        ("Without it no key can be had.", "GRANT EXECUTE ON SYS.DBMS_LOCK to this user.");
    Finding::new(Severity::Fault, "no-grant", sentence(error), why, advice)
}

fn cluster() -> Finding {
    Finding::new(
        Severity::Note,
        "cluster",
        "The database is a cluster.",
        "Its instances share the locks; when one fails its locks are free once the others have noticed.",
        "Nothing, unless work goes on after its session has ended.",
    )
}

fn cannot_look(error: &Error) -> Finding {
    let (why, advice) = (
        "Nobody can be told who holds a key.",
        "GRANT SELECT ON SYS.GV_$LOCK and ON SYS.GV_$SESSION to this user.",
    );
    Finding::new(Severity::Note, "cannot-look", sentence(error), why, advice)
}

fn cannot_end_others() -> Finding {
    Finding::new(
        Severity::Note,
        "cannot-end-others",
        "This user has no privilege ALTER SYSTEM.",
        "It cannot free a key that somebody else holds.",
        "GRANT ALTER SYSTEM to this user if it is to free keys.",
    )
}

/// What an error says, with a capital and a full stop.
fn sentence(error: &Error) -> String {
    let text = error.to_string();
    let mut rest = text.chars();
    rest.next()
        .map_or_else(String::new, |first| format!("{}{}.", first.to_uppercase(), rest.as_str()))
}
