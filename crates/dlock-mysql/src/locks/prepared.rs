use crate::Key;
use crate::statement::batch::{attempt_prepared, release_prepared};
use dlock_locks::{Ask, What};
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Error, Params, Result, Statement, Value};
use std::cell::Cell;
use tokio::sync::OnceCell;

/// The statements of one key alone, which the server reads once: a quarter faster than a text, for which it has
/// to read, plan and forget one each time.
#[derive(Debug, Default)]
pub(super) struct Prepared {
    is_warm: Cell<bool>,
    /// Whether a statement was lost.
    is_off: Cell<bool>,
    /// A try, and a release.
    statements: OnceCell<Option<[Statement; 2]>>,
}

impl Prepared {
    /// From now on there is nothing prepared.
    pub(super) fn give_up(&self) {
        self.is_off.set(true);
    }

    /// The digit of the answer. `None`: the server, or what stands before it, prepares nothing; or this is the
    /// first time, which may be the only one.
    pub(super) async fn run(
        &self,
        conn: &mut Conn,
        is_mariadb: bool,
        ask: &Ask<Key>,
    ) -> Result<Option<String>> {
        if self.is_off.get() || !self.is_warm.replace(true) {
            return Ok(None);
        }
        let prepared = self.statements.get_or_try_init(|| prepare(conn, is_mariadb)).await?;
        let Some([attempt, release]) = prepared else { return Ok(None) };
        let name = Value::Bytes(hex(&ask.key));
        let (statement, names) = match ask.what {
            What::Try => (attempt, vec![name.clone(), name]),
            What::Release | What::Undo => (release, vec![name]),
        };
        let digit: Option<Option<String>> =
            conn.exec_first(statement, Params::Positional(names)).await?;
        Ok(Some(digit.flatten().unwrap_or_default()))
    }
}

async fn prepare(conn: &mut Conn, is_mariadb: bool) -> Result<Option<[Statement; 2]>> {
    let prepared = async {
        let attempt = conn.prep(attempt_prepared(is_mariadb)).await?;
        Ok([attempt, conn.prep(release_prepared(is_mariadb)).await?])
    };
    match prepared.await {
        Ok(prepared) => Ok(Some(prepared)),
        Err(Error::Server(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

fn hex(key: &Key) -> Vec<u8> {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = |byte: u8| [byte >> 4, byte & 15].map(|digit| DIGITS[usize::from(digit)]);
    key.as_str().bytes().flat_map(digits).collect()
}
