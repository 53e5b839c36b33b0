//! What the soak needs of a driver: locks over sessions, a register beside them, eyes on the server.

pub mod mssql;
pub mod mysql;
pub mod oracle;
pub mod postgres;

use anyhow::Result;
use dlock_core::{KeyError, Lock, RawUnlock, SessionRef};
use dlock_locks::{Driver, FencedDriver, Held, Locks};
use futures::future::BoxFuture;
use std::future::Future;
use std::time::Duration;

/// Every key of the soak: few, so that they are fought for.
pub const KEYS: [&str; 3] = ["soak-a", "soak-b", "soak-c"];

/// One server as a worker sees it. The register holds, for each key, who is in the section: it is
/// read and written on the lock's own session.
pub trait Target: Send + Sync + 'static {
    /// The lock.
    type Raw: RawUnlock<Key: Send + Sync, Mode: Send + Sync, Error: Send + Sync>
        + Send
        + Sync
        + 'static;

    /// A lock over a session of its own.
    fn lock(&self, key: &str) -> impl Future<Output = Result<Lock<Self::Raw>>> + Send;

    /// What the server calls this session. No other session is ever called the same.
    fn name(session: SessionRef<'_, Self::Raw>) -> impl Future<Output = Result<String>> + Send;

    /// Has the server answer with this number.
    fn echo(
        session: SessionRef<'_, Self::Raw>,
        number: i64,
    ) -> impl Future<Output = Result<i64>> + Send;

    /// Writes `to` into the register if `from` stands there, and says whether it did.
    fn swap(
        session: SessionRef<'_, Self::Raw>,
        key: &str,
        from: Option<&str>,
        to: Option<&str>,
    ) -> impl Future<Output = Result<bool>> + Send;

    /// What stands in the register.
    fn holder(
        session: SessionRef<'_, Self::Raw>,
        key: &str,
    ) -> impl Future<Output = Result<Option<String>>> + Send;

    /// Whether the server still has a session of that name.
    fn lives(
        session: SessionRef<'_, Self::Raw>,
        name: &str,
    ) -> impl Future<Output = Result<bool>> + Send;
}

/// A server on which `Locks` has a driver.
pub trait Factory: Target {
    /// The driver.
    type Driver: Driver;
    /// A connection to the register, beside the sessions of `Locks`.
    type Register: Send;

    /// A new factory, through the proxy if there is one.
    ///
    /// # Errors
    /// Returns an error if the system has no thread left.
    fn locks(&self) -> Result<Locks<Self::Driver>>;

    /// The key of this text.
    ///
    /// # Errors
    /// Returns an error if it is none.
    fn key(key: &str) -> Result<<Self::Driver as Driver>::Key, KeyError>;

    /// What the roster calls a key of this server.
    fn section(&self, key: &str) -> String;

    /// A new connection to the register, not through the proxy.
    fn register(&self) -> impl Future<Output = Result<Self::Register>> + Send;

    /// The connection, as a lock's session is lent.
    fn lend(register: &mut Self::Register) -> SessionRef<'_, Self::Raw>;
}

/// A server on which a transaction can be fenced.
///
/// A row has the token of who wrote it last and how often it was written, and each transaction that writes
/// it adds an entry with its token and its number: of two that overlapped, one is not counted.
pub trait Ledger: Factory<Driver: FencedDriver> {
    /// A connection of the user's.
    type Connection: Send;

    /// A new one, not through the proxy.
    fn connection(&self) -> impl Future<Output = Result<Self::Connection>> + Send;

    /// Reads, waits for so long, writes and commits, in a transaction that begins behind the fence.
    fn write(
        connection: &mut Self::Connection,
        held: &Held<Self::Driver>,
        key: &str,
        pause: Duration,
    ) -> impl Future<Output = Result<Written>> + Send;
}

/// What became of a fenced transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    /// It could not begin.
    Refused,
    /// One with this later token has written before.
    Back(u64),
    /// It is written.
    Committed,
}

/// A session that holds or awaits a key, as an administrator sees it.
#[derive(Clone, Debug)]
pub struct Seen {
    /// What ends it.
    pub session: String,
    /// What it holds or awaits, in words.
    pub what: String,
}

/// One server as an administrator sees it, over a new connection each time.
pub trait Observer: Send + Sync {
    /// Makes an empty register. Nobody may be in a section.
    fn prepare(&self) -> BoxFuture<'_, Result<()>>;

    /// Makes what fenced transactions write to.
    fn open_ledger(&self) -> BoxFuture<'_, Result<()>> {
        Box::pin(async { Ok(()) })
    }

    /// What is wrong with what fenced transactions wrote.
    fn ledger(&self) -> BoxFuture<'_, Result<Vec<String>>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    /// Who holds or awaits a key.
    fn seen(&self) -> BoxFuture<'_, Result<Vec<Seen>>>;

    /// Ends a session.
    fn kill<'a>(&'a self, session: &'a str) -> BoxFuture<'a, Result<()>>;

    /// Has the server answer nobody for so long; `false` where only its process can be frozen.
    fn freeze(&self, _time: Duration) -> BoxFuture<'_, Result<bool>> {
        Box::pin(async { Ok(false) })
    }

    /// The process of each session of the server, where each has one of its own.
    fn processes(&self) -> BoxFuture<'_, Result<Vec<u32>>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    /// Within how long the server has to forget what was dropped: two seconds are promised.
    fn forgets(&self) -> Duration {
        Duration::from_secs(3)
    }
}

/// After how long of silence a server lets go of what `Locks` holds.
pub(crate) const LEASE: Duration = Duration::from_secs(3);

/// The statements of a register that is a table.
pub(crate) mod register {
    /// Writes `to` where `from` stands.
    pub(crate) fn swap(key: &str, from: Option<&str>, to: Option<&str>) -> String {
        let stands = from.map_or("IS NULL".to_owned(), |from| format!("= '{from}'"));
        let to = to.map_or("NULL".to_owned(), |to| format!("'{to}'"));
        format!("UPDATE dlock_soak SET holder = {to} WHERE name = '{key}' AND holder {stands}")
    }

    /// Reads.
    pub(crate) fn holder(key: &str) -> String {
        format!("SELECT holder FROM dlock_soak WHERE name = '{key}'")
    }

    /// The statements that make it anew.
    pub(crate) fn prepare() -> Vec<String> {
        let mut all = vec![
            "DROP TABLE IF EXISTS dlock_soak".to_owned(),
            "CREATE TABLE dlock_soak (name varchar(20) PRIMARY KEY, holder varchar(80))".to_owned(),
        ];
        let insert = |key| format!("INSERT INTO dlock_soak (name, holder) VALUES ('{key}', NULL)");
        all.extend(super::KEYS.map(insert));
        all
    }
}

/// The statements of a ledger.
pub(crate) mod ledger {
    use crate::contest::fenced::KEYS;

    /// Makes it anew.
    pub(crate) fn open() -> Vec<String> {
        let mut all = [
            "DROP TABLE IF EXISTS dlock_soak_row",
            "DROP TABLE IF EXISTS dlock_soak_entry",
            "CREATE TABLE dlock_soak_row (name varchar(20) PRIMARY KEY, token bigint, entries bigint)",
            "CREATE TABLE dlock_soak_entry (name varchar(20), token bigint, entry bigint)",
            "CREATE INDEX dlock_soak_entry_index ON dlock_soak_entry (name, entry)",
        ]
        .map(str::to_owned)
        .to_vec();
        all.extend(KEYS.map(|key| format!("INSERT INTO dlock_soak_row VALUES ('{key}', 0, 0)")));
        all
    }

    /// The last token, and how many entries there are.
    pub(crate) fn read(key: &str) -> String {
        format!("SELECT token, entries FROM dlock_soak_row WHERE name = '{key}'")
    }

    /// One entry more.
    pub(crate) fn write(key: &str, token: u64, entry: i64) -> [String; 2] {
        [
            format!(
                "UPDATE dlock_soak_row SET token = {token}, entries = {entry} WHERE name = '{key}'"
            ),
            format!("INSERT INTO dlock_soak_entry VALUES ('{key}', {token}, {entry})"),
        ]
    }

    /// What must not be: entries that are not counted, and tokens that go back.
    pub(crate) const WRONG: [&str; 2] = [
        "SELECT concat('fenced: ', r.name, ' counts ', r.entries, ' of ', count(e.entry)) \
         FROM dlock_soak_row r LEFT JOIN dlock_soak_entry e ON e.name = r.name \
         GROUP BY r.name, r.entries HAVING count(e.entry) <> r.entries",
        "SELECT concat('fenced: ', a.name, ' went from ', a.token, ' back to ', b.token) \
         FROM dlock_soak_entry a JOIN dlock_soak_entry b \
         ON b.name = a.name AND b.entry = a.entry + 1 WHERE b.token < a.token LIMIT 5",
    ];
}
