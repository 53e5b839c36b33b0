//! The check-up: what would make locks lie on this database.

use super::{Server, ServerSession, statement};
use crate::{Error, Key, answer};
use dlock_locks::{
    Ask, Driver, Finding, InspectDriver, Mode, Session, SessionOptions, Severity, What,
};
use std::hash::{BuildHasher, RandomState};
use std::time::{SystemTime, UNIX_EPOCH};

/// How far two clocks may be apart, in milliseconds: a second is what a step of NTP's may be.
const APART: i64 = 1_000;

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
    let excludes = excludes(session, &other).await;
    other.end().await;
    let mut found = Vec::new();
    match excludes {
        Err(error @ Error::Setup { .. }) => found.push(no_grant(&error)),
        excludes => found.extend((!excludes?).then(locks_nothing)),
    }
    found.extend(session.is_cluster().then(cluster));
    found.extend(clock(session).await?);
    if let Err(error @ Error::Setup { .. }) = Server::holders(session, None).await {
        found.push(cannot_look(&error));
    }
    if !session.caller().call(statement::may_end).await? {
        found.push(cannot_end_others());
    }
    Ok(found)
}

/// Whether a key that one session holds is refused to another.
async fn excludes(one: &ServerSession, other: &ServerSession) -> Result<bool, Error> {
    let key = Key::from(format!("dlock check {}", RandomState::new().hash_one(())));
    let ask = |what| [Ask { what, key: key.clone(), mode: Mode::Exclusive }];
    let is_held = one.run(&ask(What::Try)).await? == [true];
    let is_refused = other.run(&ask(What::Try)).await? == [false];
    one.run(&ask(What::Undo)).await?;
    Ok(is_refused || !is_held)
}

/// A server's clock that was read between two looks at ours.
async fn clock(session: &ServerSession) -> Result<Option<Finding>, Error> {
    let asked = now();
    let server = session.caller().call(statement::clock).await?;
    let apart = if server < asked { server - asked } else { (server - now()).max(0) };
    Ok((apart.abs() > APART).then(|| {
        Finding::new(
            Severity::Note,
            "clock",
            format!("The server's clock is {apart} ms from the one here."),
            "No lock hangs on it, since there is no lease, but the two write logs that do not fit together.",
            "Have both machines keep their time by NTP.",
        )
    }))
}

/// Milliseconds since 1970.
fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
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

fn locks_nothing() -> Finding {
    Finding::new(
        Severity::Fault,
        "locks-nothing",
        "A key that one session held was given to another.",
        "The server answers DBMS_LOCK and does not lock, so nothing is excluded.",
        "Look at what DBMS_LOCK is here, and whether all sessions are on one database.",
    )
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
