//! The check-up: what would make locks lie on this server.

mod found;

use super::inspect::{has_list, unless_hidden};
use super::{Server, ServerSession};
use crate::answer::{Said, meaning, said};
use crate::statement;
use crate::{Error, Key};
use dlock_locks::check::{clock, excludes, now};
use dlock_locks::{Driver, Finding, Session, SessionOptions};
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Result};
use std::collections::HashMap;
use std::process;
use std::time::SystemTime;

const STEP: &str = "A clock that is wrong will be set right, and a step of the server's clock may end leases early.";

pub(super) async fn check(
    server: &Server,
    options: &SessionOptions,
) -> std::result::Result<Vec<Finding>, Error> {
    let session = match server.open(options).await {
        Ok(session) => session,
        Err(error @ Error::Setup { .. }) => return Ok(vec![found::refused(&error)]),
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
) -> std::result::Result<Vec<Finding>, Error> {
    let other = server.open(options).await?;
    let key = Key::hashed(&format!("dlock check {} {:?}", process::id(), SystemTime::now()));
    let excludes = excludes(session, &other, key).await;
    let is_same = session.server() == other.server();
    other.end().await;
    let mut found = Vec::new();
    found.extend((!unless_refused(excludes)?).then(found::locks_nothing));
    found.extend((!is_same).then(found::several_servers));
    found.extend((!session.has_lease()).then(found::no_lease));
    let mut conn = session.conn().await;
    found.extend(between(&mut conn, session.id()).await.map_err(meaning)?);
    found.extend(nodes(&mut conn, session.is_mariadb()).await.map_err(meaning)?);
    found.extend(grants(&mut conn, session.is_mariadb()).await.map_err(meaning)?);
    Ok(found)
}

/// Newer nodes of Galera refuse named locks: <https://jira.mariadb.org/browse/MDEV-30473>.
fn unless_refused(excludes: std::result::Result<bool, Error>) -> std::result::Result<bool, Error> {
    match excludes {
        Err(Error::Driver(error)) if said(&error) == Some(Said::NotSupported) => Ok(false),
        excludes => excludes,
    }
}

/// Who stands between, and what time it is there.
async fn between(conn: &mut Conn, id: u64) -> Result<Vec<Finding>> {
    let asked = now();
    let looked: Option<(u64, i64)> = conn.query_first(statement::check::LOOK).await?;
    let Some((number, server)) = looked else { return Ok(vec![found::locks_nothing()]) };
    let mut found = Vec::from_iter(clock(server, asked, now(), STEP));
    found.extend((number != id).then(found::pooler));
    found.extend((u64::from(conn.id()) != id).then(|| found::proxy(conn.id(), id)));
    Ok(found)
}

/// Other nodes know nothing of the locks on this one.
async fn nodes(conn: &mut Conn, is_mariadb: bool) -> Result<Vec<Finding>> {
    let settings: Vec<(String, String)> = conn.query(statement::check::SETTINGS).await?;
    let settings: HashMap<String, String> = settings.into_iter().collect();
    let is_on = |name| settings.get(name).is_some_and(|value| value == "ON" || value == "1");
    let mut found = Vec::new();
    if is_on("wsrep_on") {
        let nodes: Option<(String, u64)> = conn.query_first(statement::check::NODES).await?;
        found.push(found::galera(nodes.map_or(1, |(_, nodes)| nodes)));
    }
    let members = if is_mariadb { 0 } else { members(conn).await? };
    let is_single = is_on("group_replication_single_primary_mode");
    found.extend((members > 1).then(|| found::group(members, is_single)));
    found.extend(is_on("read_only").then(found::read_only));
    Ok(found)
}

async fn members(conn: &mut Conn) -> Result<u64> {
    let members = unless_hidden(conn.query_first(statement::check::MEMBERS).await)?;
    Ok(members.flatten().unwrap_or_default())
}

async fn grants(conn: &mut Conn, is_mariadb: bool) -> Result<Vec<Finding>> {
    let mut found = Vec::new();
    let grants: Vec<String> = conn.query(statement::check::GRANTS).await?;
    let ends = grants.iter().any(|grant| statement::check::lets_end_others(grant));
    found.extend((!ends).then(found::cannot_end_others));
    found.extend((!has_list(conn, is_mariadb).await?).then(|| found::cannot_look(is_mariadb)));
    Ok(found)
}
