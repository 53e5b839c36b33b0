//! The check-up: what would make locks lie on this server.

mod found;

use super::inspect::{has_list, unless_hidden};
use super::{Server, ServerSession};
use crate::answer::meaning;
use crate::statement;
use crate::{Error, Key};
use dlock_locks::{Ask, Driver, Finding, Mode, Session, SessionOptions, What};
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Result};
use std::collections::HashMap;
use std::process;
use std::time::{SystemTime, UNIX_EPOCH};

/// How far two clocks may be apart, in milliseconds: a second is what a step of NTP's may be.
const APART: i64 = 1_000;

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
    let excludes = excludes(session, &other).await;
    let is_same = session.server() == other.server();
    other.end().await;
    let mut found = Vec::new();
    found.extend((!excludes?).then(found::locks_nothing));
    found.extend((!is_same).then(found::several_servers));
    found.extend((!session.has_lease()).then(found::no_lease));
    let mut conn = session.conn().await;
    found.extend(between(&mut conn, session.id()).await.map_err(meaning)?);
    found.extend(nodes(&mut conn, session.is_mariadb()).await.map_err(meaning)?);
    found.extend(grants(&mut conn, session.is_mariadb()).await.map_err(meaning)?);
    Ok(found)
}

/// Whether a key that one session holds is refused to another.
async fn excludes(one: &ServerSession, other: &ServerSession) -> std::result::Result<bool, Error> {
    let key = Key::hashed(&format!("dlock check {} {:?}", process::id(), SystemTime::now()));
    let ask = |what| [Ask { what, key: key.clone(), mode: Mode::Exclusive }];
    if one.run(&ask(What::Try)).await? != [true] {
        return Ok(false);
    }
    let is_refused = other.run(&ask(What::Try)).await? == [false];
    Ok(one.run(&ask(What::Release)).await? == [true] && is_refused)
}

/// Who stands between, and what time it is there.
async fn between(conn: &mut Conn, id: u64) -> Result<Vec<Finding>> {
    let asked = now();
    let looked: Option<(u64, i64)> = conn.query_first(statement::check::LOOK).await?;
    let Some((number, server)) = looked else { return Ok(vec![found::locks_nothing()]) };
    let apart = if server < asked { server - asked } else { (server - now()).max(0) };
    let mut found = Vec::new();
    found.extend((number != id).then(found::pooler));
    found.extend((u64::from(conn.id()) != id).then(|| found::proxy(conn.id(), id)));
    found.extend((apart.abs() > APART).then(|| found::clock(apart)));
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

/// Milliseconds since 1970.
fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
