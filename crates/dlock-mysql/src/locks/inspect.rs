//! Who holds, who waits, and the end of a session.

use super::{Server, ServerSession};
use crate::answer::{is_denied, is_no_table, is_not_there, meaning};
use crate::release::kill_until_gone;
use crate::statement;
use crate::{Error, Key};
use dlock_locks::{Finding, Holder, InspectDriver, Mode, SessionOptions};
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Result, Row};
use std::collections::HashMap;
use std::time::Duration;

/// MySQL tells holders and waiters of any key, by names in lower case, where `performance_schema` is on, has
/// its instrument for metadata locks, and lets the user read. MariaDB tells holders only, never waiters: of any
/// key with its plugin `METADATA_LOCK_INFO`, which cuts names at 64 characters. Without these, the holder of one
/// key is told, and all keys are an error. Names that cannot be a [`Key`] are left out. User and host of others are told to those who have
/// `PROCESS`. How long a key was held neither server knows: it is how long the session has been in its
/// present state.
impl InspectDriver for Server {
    async fn holders(
        session: &ServerSession,
        key: Option<&Key>,
    ) -> std::result::Result<Vec<Holder<Key>>, Error> {
        let mut conn = session.conn().await;
        let listed = match (session.is_mariadb(), key) {
            (true, None) => mariadb_list(&mut conn).await,
            (true, Some(_)) => Ok(None),
            (false, _) => mysql_list(&mut conn, key).await,
        };
        if let Some(holders) = listed.map_err(meaning)? {
            return Ok(holders);
        }
        let advice = if session.is_mariadb() { NO_PLUGIN } else { NO_LIST };
        let key = key.ok_or(Error::Setup { advice, source: None })?;
        holder(&mut conn, session.is_mariadb(), key).await.map_err(meaning)
    }

    async fn end_session(
        session: &ServerSession,
        number: &str,
    ) -> std::result::Result<bool, Error> {
        // What is no number is no session.
        let Ok(number) = number.parse() else { return Ok(false) };
        let mut conn = session.conn().await;
        match conn.query_drop(statement::kill(number)).await {
            Ok(()) => kill_until_gone(&mut conn, number).await.map(|()| true).map_err(meaning),
            Err(error) if is_somebody_elses(&error) => {
                Err(Error::Setup { advice: NO_KILL, source: Some(error) })
            }
            Err(error) if is_not_there(&error) => Ok(false),
            Err(error) => Err(meaning(error)),
        }
    }

    async fn check(&self, options: &SessionOptions) -> std::result::Result<Vec<Finding>, Error> {
        super::check::check(self, options).await
    }
}

const NO_LIST: &str = "switch performance_schema on, with its instrument `wait/lock/metadata/sql/mdl`, and grant \
                       SELECT on performance_schema.* to see all keys; one key can be asked for without";

const NO_PLUGIN: &str = "install the plugin of MariaDB that lists locks (INSTALL SONAME 'metadata_lock_info') to \
                         see all keys; one key can be asked for without";

const NO_KILL: &str = "grant CONNECTION_ADMIN (MySQL), CONNECTION ADMIN (MariaDB) or SUPER to this user, who may \
                       not end the sessions of others";

fn is_somebody_elses(error: &mysql_async::Error) -> bool {
    matches!(error, mysql_async::Error::Server(error) if error.code == 1095)
}

/// Whether all keys can be seen.
pub(super) async fn has_list(conn: &mut Conn, is_mariadb: bool) -> Result<bool> {
    Ok(match is_mariadb {
        true => mariadb_list(conn).await?.is_some(),
        false => mysql_list(conn, None).await?.is_some(),
    })
}

/// `None`: there is no list, or it is not for this user.
pub(super) fn unless_hidden<T>(listed: Result<T>) -> Result<Option<T>> {
    match listed {
        Err(error) if is_denied(&error) || is_no_table(&error) => Ok(None),
        listed => listed.map(Some),
    }
}

/// What was asked for by its name in the process is told by it.
fn named(bytes: Vec<u8>, asked: Option<&Key>) -> Option<Key> {
    asked.cloned().or_else(|| Key::try_from(bytes).ok())
}

type Listed = (Vec<u8>, bool, u64, Option<String>, Option<String>, Option<String>, Option<u64>);

async fn mysql_list(conn: &mut Conn, key: Option<&Key>) -> Result<Option<Vec<Holder<Key>>>> {
    let lists = unless_hidden(conn.query_first(statement::inspect::HAS_LIST).await)?;
    if lists.flatten().is_none_or(|lists: u64| lists == 0) {
        return Ok(None);
    }
    let rows = conn.query::<Listed, _>(statement::inspect::mysql_list(key)).await;
    let Some(rows) = unless_hidden(rows)? else { return Ok(None) };
    Ok(Some(rows.into_iter().filter_map(|row| listed(row, key)).collect()))
}

fn listed(row: Listed, key: Option<&Key>) -> Option<Holder<Key>> {
    let (name, is_waiting, number, user, host, application, seconds) = row;
    let key = named(name, key)?;
    let mut holder = Holder::new(key, Mode::Exclusive, is_waiting, number.to_string());
    (holder.user, holder.host, holder.application) = (user, host, application);
    holder.since = seconds.map(Duration::from_secs);
    Some(holder)
}

async fn mariadb_list(conn: &mut Conn) -> Result<Option<Vec<Holder<Key>>>> {
    let rows = conn.query::<(Vec<u8>, u64), _>(statement::inspect::MARIADB_LIST).await;
    let Some(rows) = unless_hidden(rows)? else { return Ok(None) };
    let held = rows.into_iter().filter_map(|(name, number)| Some((named(name, None)?, number)));
    Ok(Some(with_users(conn, held.collect()).await?))
}

async fn holder(conn: &mut Conn, is_mariadb: bool, key: &Key) -> Result<Vec<Holder<Key>>> {
    let text = statement::inspect::holder(is_mariadb, key);
    let number: Option<u64> = conn.query_first::<Option<u64>, _>(text).await?.flatten();
    let held = number.map(|number| (key.clone(), number));
    with_users(conn, held.into_iter().collect()).await
}

async fn with_users(conn: &mut Conn, held: Vec<(Key, u64)>) -> Result<Vec<Holder<Key>>> {
    let rows: Vec<Row> = conn.query(statement::inspect::SESSIONS).await?;
    let number = |row: &Row| row.get::<u64, _>("Id");
    let sessions: HashMap<u64, &Row> =
        rows.iter().filter_map(|row| Some((number(row)?, row))).collect();
    let holder = |(key, number): (Key, u64)| {
        let holder = Holder::new(key, Mode::Exclusive, false, number.to_string());
        sessions.get(&number).map_or(holder.clone(), |row| with_user(holder, row))
    };
    Ok(held.into_iter().map(holder).collect())
}

fn with_user(mut holder: Holder<Key>, row: &Row) -> Holder<Key> {
    let text = |name| row.get::<Option<String>, _>(name).flatten();
    holder.user = text("User");
    holder.host = text("Host");
    let seconds = row.get::<Option<i64>, _>("Time").flatten();
    holder.since = seconds.map(|seconds| Duration::from_secs(seconds.max(0).unsigned_abs()));
    holder
}
