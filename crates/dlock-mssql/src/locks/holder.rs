use crate::Key;
use crate::locks::ServerError;
use crate::locks::session::Results;
use dlock_locks::{Holder, Mode};
use std::collections::HashMap;
use std::time::Duration;
use tiberius::Row;

/// How many characters of a name the server shows.
const SHOWN: usize = 32;

/// A lock as the server shows it: the beginning of its name, and a hash of all of it.
/// <https://learn.microsoft.com/sql/relational-databases/system-dynamic-management-views/sys-dm-tran-locks-transact-sql#resource-details>
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Shown {
    pub(crate) name: String,
    pub(crate) hash: String,
}

impl Shown {
    /// `0:[name]:(hash)`, where 0 is the principal `public`; `None`: no lock of ours can be meant.
    pub(crate) fn of(description: &str) -> Option<Self> {
        let (name, hash) = description.strip_prefix("0:[")?.rsplit_once("]:(")?;
        Some(Self { name: name.to_owned(), hash: hash.trim_end_matches(')').to_owned() })
    }

    /// Whether it may be a lock of this name.
    pub(crate) fn may_be(&self, key: &Key) -> bool {
        let beginning = Vec::from_iter(key.as_str().encode_utf16().take(SHOWN));
        String::from_utf16_lossy(&beginning) == self.name
    }

    /// Whether names that begin alike are shown alike.
    pub(crate) fn is_cut(&self) -> bool {
        self.name.encode_utf16().count() >= SHOWN
    }
}

/// The locks of the database, and who has them: of two results, one of locks and one of sessions.
pub(crate) fn holders(results: &Results) -> Result<Vec<(Shown, Holder<Key>)>, ServerError> {
    let [locks, sessions] = results.as_slice() else { return Err(ServerError::Answer) };
    let mut known = HashMap::new();
    for row in sessions {
        known.insert(number(row, "dlock_session")?, row);
    }
    let mut found = Vec::new();
    for row in locks {
        let shown = Shown::of(text(row, "dlock_lock")?.unwrap_or_default());
        let named = shown.and_then(|shown| Some((Key::try_from(&shown.name).ok()?, shown)));
        let Some((key, shown)) = named else { continue };
        let session = number(row, "dlock_session")?;
        let is_waiting = text(row, "dlock_status")? != Some("GRANT");
        let mode = mode(text(row, "dlock_mode")?.unwrap_or_default());
        let mut holder = Holder::new(key, mode, is_waiting, session.to_string());
        if let Some(row) = known.get(&session) {
            describe(&mut holder, row)?;
        }
        found.push((shown, holder));
    }
    Ok(found)
}

fn describe(holder: &mut Holder<Key>, session: &Row) -> Result<(), ServerError> {
    let owned = |column| text(session, column).map(|text| text.map(str::to_owned));
    holder.user = owned("dlock_user")?;
    holder.host = owned("dlock_host")?;
    holder.application = owned("dlock_application")?;
    let seconds: Option<i32> = session.try_get("dlock_since")?;
    let seconds = seconds.and_then(|seconds| u64::try_from(seconds).ok());
    holder.since = seconds.map(Duration::from_secs);
    Ok(())
}

fn text<'r>(row: &'r Row, column: &str) -> Result<Option<&'r str>, ServerError> {
    Ok(row.try_get(column)?)
}

fn number(row: &Row, column: &str) -> Result<i32, ServerError> {
    row.try_get(column)?.ok_or(ServerError::Answer)
}

/// Intent modes are what Oracle calls sub modes.
/// <https://learn.microsoft.com/sql/relational-databases/sql-server-transaction-locking-and-row-versioning-guide#lock_modes>
fn mode(short: &str) -> Mode {
    match short {
        "S" => Mode::Shared,
        "U" | "UIX" | "SIU" => Mode::Update,
        "IS" => Mode::SubShared,
        "IX" => Mode::SubExclusive,
        "SIX" => Mode::SharedSubExclusive,
        _ => Mode::Exclusive,
    }
}

#[cfg(test)]
mod tests {
    use super::Shown;
    use crate::Key;

    #[test]
    fn a_description_is_taken_apart() {
        let shown = Shown::of("0:[a]:(b]:(1f)").expect("one of ours");
        assert_eq!((&*shown.name, &*shown.hash, shown.is_cut()), ("a]:(b", "1f", false));
        assert!(shown.may_be(&Key::try_from("a]:(b").expect("a key")));
        assert!(!shown.may_be(&Key::try_from("a").expect("a key")));
        assert_eq!((Shown::of("1:[a]:(1f)"), Shown::of("")), (None, None));
    }

    #[test]
    fn a_long_name_is_known_by_its_beginning() {
        let shown = Shown::of(&format!("0:[{}]:(1f)", "🔒".repeat(16))).expect("one of ours");
        assert!(shown.is_cut() && shown.may_be(&Key::try_from("🔒".repeat(20)).expect("a key")));
        assert!(!shown.may_be(&Key::try_from("🔒".repeat(15)).expect("a key")));
    }
}
