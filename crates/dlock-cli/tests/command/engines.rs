//! The servers that everything is tried on.

use crate::fixture::{dlock, output, shared, until};
use dlock_testkit::server::{Engine, Maria, MariaDb, MySql};
use serde_json::Value;
use std::sync::OnceLock;

/// A kind of server.
#[derive(Clone, Copy)]
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    pub(crate) url: &'static str,
    /// The member of `dlock key --json` that has its keys.
    pub(crate) member: &'static str,
    /// Whether it tells who waits.
    pub(crate) tells_waiters: bool,
}

pub(crate) fn mysql() -> &'static str {
    MySql::shared().expect("a MySQL server").url()
}

/// One that tells all keys, as its plugin lets it.
pub(crate) fn mariadb() -> &'static str {
    static TELLING: OnceLock<MariaDb> = OnceLock::new();
    let started = || Maria::start(&[("plugin-load-add", "metadata_lock_info")]);
    TELLING.get_or_init(|| started().expect("a MariaDB server")).url()
}

/// All that are tried.
pub(crate) fn kinds() -> [Kind; 3] {
    let kind = |name, url, member, tells_waiters| Kind { name, url, member, tells_waiters };
    [
        kind("PostgreSQL", shared(), "postgres", true),
        kind("MySQL", mysql(), "mysql", true),
        kind("MariaDB", mariadb(), "mysql", false),
    ]
}

impl Kind {
    /// The key as this server knows it.
    pub(crate) fn key(self, text: &str) -> String {
        let (status, names, said) = output(dlock("", &["key", text, "--json"]));
        assert_eq!(status, 0, "{said}");
        let names: Value = serde_json::from_str(&names).expect("JSON");
        names[self.member].as_str().expect("a key").to_owned()
    }

    /// What a subcommand says in JSON, and its status.
    pub(crate) fn json(self, arguments: &[&str]) -> (i32, Vec<Value>) {
        let (status, shown, said) = output(dlock(self.url, &[arguments, &["--json"]].concat()));
        let parsed: Value = serde_json::from_str(&shown)
            .unwrap_or_else(|error| panic!("{}: {error}: {shown} {said}", self.name));
        (status, parsed.as_array().expect("an array").clone())
    }

    /// Waits until this key has so many rows in `dlock who`.
    pub(crate) fn rows(self, key: &str, count: usize) -> Vec<Value> {
        self.rows_of(&["who", key], key, count)
    }

    /// Waits until a subcommand ends well and shows so many rows of this key.
    ///
    /// A wait is many statements, one after another: between two of them the server has no waiter.
    pub(crate) fn rows_of(self, arguments: &[&str], key: &str, count: usize) -> Vec<Value> {
        let key = Value::from(self.key(key));
        until("as many rows", || {
            let (status, mut rows) = self.json(arguments);
            rows.retain(|row| row["key"] == key);
            Some(rows).filter(|rows| status == 0 && rows.len() == count)
        })
    }
}
