//! Who holds, who waits, and ending their sessions.

use super::{Server, ServerError, ServerSession, check, statement, turnstile};
use crate::answer::{self, Native};
use crate::{Key, Number};
use dlock_locks::{Finding, Holder, InspectDriver, Mode, SessionOptions};
use std::time::Duration;
use tokio::time::{Instant, sleep};
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Row};

/// How long a session may take to end, and how often it is looked whether it has.
const ENDING: Duration = Duration::from_secs(10);
const LOOKS: Duration = Duration::from_millis(10);

impl InspectDriver for Server {
    async fn holders(
        session: &ServerSession,
        key: Option<&Key>,
    ) -> Result<Vec<Holder<Key>>, ServerError> {
        let mut there = holders(&session.client, key).await?;
        if let Some(key) = key {
            there.extend(holders(&session.client, Some(&turnstile::turnstile(key))).await?);
        }
        Ok(turnstile::as_waiting(there, key))
    }

    async fn end_session(session: &ServerSession, number: &str) -> Result<bool, ServerError> {
        let Ok(pid) = number.parse() else { return Ok(false) };
        Process { pid, begun: None }.end(&session.client).await
    }

    async fn check(&self, options: &SessionOptions) -> Result<Vec<Finding>, ServerError> {
        check::check(self, options).await
    }
}

async fn holders(client: &Client, key: Option<&Key>) -> Result<Vec<Holder<Key>>, ServerError> {
    let (class, object, form) = match key.map(|key| as_shown(key.number())) {
        Some((class, object, form)) => (Some(class), Some(object), Some(form)),
        None => (None, None, None),
    };
    let parameters: [(&(dyn ToSql + Sync), Type); 3] =
        [(&class, Type::OID), (&object, Type::OID), (&form, Type::INT2)];
    let rows = client.query_typed(statement::HOLDERS, &parameters).await;
    rows.map_err(meaning)?.iter().map(holder).collect()
}

/// A server process: its number, and when it was begun, since numbers come again.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Process {
    pid: i32,
    begun: Option<String>,
}

impl Process {
    /// That of this client.
    pub(super) async fn of(client: &Client) -> Result<Self, ServerError> {
        let rows = client.query_typed(statement::PROCESS, &[]).await?;
        let row = rows.first().ok_or(ServerError::Answer)?;
        Ok(Self { pid: row.try_get(0)?, begun: row.try_get(1)? })
    }

    pub(super) fn pid(&self) -> i32 {
        self.pid
    }

    /// Ends it, and waits until it has gone. `false`: there is none.
    pub(super) async fn end(&self, client: &Client) -> Result<bool, ServerError> {
        let parameters = [(&self.pid as _, Type::INT4), (&self.begun as _, Type::TEXT)];
        let ended = client.query_typed(statement::TERMINATE, &parameters).await;
        let ended = ended.map_err(meaning)?;
        let Some(row) = ended.first() else { return Ok(false) };
        let it = Self { pid: self.pid, begun: row.try_get(1)? };
        it.until_gone(client).await?;
        Ok(true)
    }

    /// It has let go before it is not shown any more.
    async fn until_gone(&self, client: &Client) -> Result<(), ServerError> {
        let end = Instant::now() + ENDING;
        let parameters = [(&self.pid as _, Type::INT4), (&self.begun as _, Type::TEXT)];
        while Instant::now() < end {
            let rows = client.query_typed(statement::IS_THERE, &parameters).await?;
            if !rows.first().ok_or(ServerError::Answer)?.try_get::<_, bool>(0)? {
                return Ok(());
            }
            sleep(LOOKS).await;
        }
        Err(ServerError::StillThere)
    }
}

/// A key as `pg_locks` shows it.
fn as_shown(key: Number) -> (u32, u32, i16) {
    match key {
        Number::Single(key) => {
            let [a, b, c, d, e, f, g, h] = key.to_be_bytes();
            (u32::from_be_bytes([a, b, c, d]), u32::from_be_bytes([e, f, g, h]), 1)
        }
        Number::Pair(one, two) => (one.cast_unsigned(), two.cast_unsigned(), 2),
    }
}

fn key(class: u32, object: u32, form: i32) -> Key {
    let number = match form {
        1 => Number::Single((u64::from(class) << 32 | u64::from(object)).cast_signed()),
        _ => Number::Pair(class.cast_signed(), object.cast_signed()),
    };
    number.into()
}

fn holder(row: &Row) -> Result<Holder<Key>, ServerError> {
    let key = key(row.try_get("class")?, row.try_get("object")?, row.try_get("form")?);
    let mode = match row.try_get("mode")? {
        "ShareLock" => Mode::Shared,
        _ => Mode::Exclusive,
    };
    let is_granted: bool = row.try_get("is_granted")?;
    let pid: Option<i32> = row.try_get("pid")?;
    let session = pid.map_or_else(|| "prepared".to_owned(), |pid| pid.to_string());
    let mut holder = Holder::new(key, mode, !is_granted, session);
    holder.user = row.try_get("role")?;
    holder.host = row.try_get("host")?;
    holder.application = row.try_get("application")?;
    let since: Option<i64> = row.try_get("since")?;
    holder.since = since.map(|it| Duration::from_millis(u64::try_from(it).unwrap_or(0)));
    Ok(holder)
}

fn meaning(error: Native) -> ServerError {
    if answer::is_not_allowed(&error) {
        let advice = "this role may not look at locks or end this session: grant EXECUTE on \
                      pg_catalog.pg_lock_status(), or pg_signal_backend, or be the session's own role";
        return ServerError::setup(advice, Some(error));
    }
    ServerError::Native(error)
}

#[cfg(test)]
mod tests {
    use super::{as_shown, key};
    use crate::Key;

    #[test]
    fn a_key_is_read_as_it_is_shown() {
        let keys = [i64::MIN, -1, 0, 1, i64::MAX].map(Key::from);
        let pairs = [(i32::MIN, i32::MAX), (-1, 0), (7, -1)].map(Key::from);
        for it in keys.into_iter().chain(pairs) {
            let (class, object, form) = as_shown(it.number());
            assert_eq!(key(class, object, form.into()), it);
        }
    }
}
