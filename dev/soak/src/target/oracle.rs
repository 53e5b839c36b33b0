//! Oracle, or the stand-in for it: then a database inside this process.

use super::{KEYS, Observer, Seen, Target};
use anyhow::{Context, Result};
use dlock_core::{Lock, SessionRef};
use dlock_oracle::oracle::{Connection, InitParams};
use dlock_oracle::{Key, User};
use futures::future::BoxFuture;
use std::collections::HashMap;
use std::env;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::task::block_in_place;

/// An Oracle database.
#[derive(Clone, Debug)]
pub struct Oracle {
    user: String,
    password: String,
    database: String,
}

static SESSIONS: AtomicUsize = AtomicUsize::new(0);

/// The stand-in has no tables: the register lies in this process, like all of its sessions.
static REGISTER: LazyLock<Mutex<HashMap<String, String>>> = LazyLock::new(Mutex::default);

fn register() -> MutexGuard<'static, HashMap<String, String>> {
    REGISTER.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Oracle {
    /// The database of `user/password@database`.
    ///
    /// # Errors
    /// Returns an error if it is no such string or the client library is not there.
    pub fn new(url: &str) -> Result<Self> {
        init()?;
        let parts = || {
            let (user, rest) = url.split_once('/')?;
            let (password, database) = rest.rsplit_once('@')?;
            Some([user, password, database].map(str::to_owned))
        };
        let [user, password, database] = parts().context("user/password@database")?;
        Ok(Self { user, password, database })
    }

    fn connect(&self) -> Result<Connection> {
        block_in_place(|| Ok(Connection::connect(&self.user, &self.password, &self.database)?))
    }

    fn see(&self) -> Result<Vec<Seen>> {
        let (connection, mut all) = (self.connect()?, Vec::new());
        for key in KEYS {
            let sql = "select sid, request from v$lock where type = 'UL' and id1 = :1";
            let rows = connection.query_as::<(i64, i64)>(sql, &[&Key::from(key).id()])?;
            for row in rows {
                let (sid, request) = row?;
                let what = format!("{} {key}", if request > 0 { "awaits" } else { "holds" });
                all.push(Seen { session: sid.to_string(), what });
            }
        }
        Ok(all)
    }

    fn end(&self, sid: &str) -> Result<()> {
        let connection = self.connect()?;
        let sid: i64 = sid.parse()?;
        let sql = "select serial# from v$session where sid = :1";
        let serial = connection.query_row_as::<i64>(sql, &[&sid])?;
        // Even numbers learn it from the server, odd ones from a cut connection.
        let _register = register();
        let verb = if serial % 2 == 0 { "kill" } else { "disconnect" };
        connection
            .execute(&format!("alter system {verb} session '{sid},{serial}' immediate"), &[])?;
        Ok(())
    }
}

/// Loads the client library: that of `DLOCK_ORACLE_CLIENT` for a real database, else the stand-in,
/// which the build leaves beside the dependencies of this program.
fn init() -> Result<()> {
    static DONE: LazyLock<Result<(), String>> = LazyLock::new(|| {
        let mut client = InitParams::new();
        let directory = directory().map_err(|error| error.to_string())?;
        client.oracle_client_lib_dir(directory).map_err(|error| error.to_string())?;
        client.init().map(drop).map_err(|error| error.to_string())
    });
    DONE.clone().map_err(anyhow::Error::msg)
}

fn is_real() -> bool {
    env::var_os("DLOCK_ORACLE_URL").is_some()
}

fn directory() -> Result<PathBuf> {
    if is_real() {
        let given = env::var_os("DLOCK_ORACLE_CLIENT");
        return Ok(given.map_or("/opt/oracle/instantclient".into(), PathBuf::from));
    }
    Ok(env::current_exe()?.with_file_name("deps"))
}

impl Target for Oracle {
    type Raw = User<Arc<Connection>>;

    async fn lock(&self, key: &str) -> Result<Lock<Self::Raw>> {
        let connection = self.connect()?;
        if !is_real() {
            // What the server makes of a break: heard, late, for the wrong call, or never heard.
            let sessions = SESSIONS.fetch_add(1, Relaxed);
            let mode = ["prompt", "late", "stray", "ignored"][sessions % 4];
            let sql = format!("alter session set \"_standin_break\" = '{mode}'");
            block_in_place(|| connection.execute(&sql, &[]))?;
        }
        Ok(Lock::new(Arc::new(connection), key)?)
    }

    async fn name(session: SessionRef<'_, Self::Raw>) -> Result<String> {
        let sql = "select sys_context('userenv', 'sid') from dual";
        Ok(block_in_place(|| session.query_row_as::<String>(sql, &[]))?)
    }

    async fn echo(session: SessionRef<'_, Self::Raw>, number: i64) -> Result<i64> {
        let sql = "select :1 from dual";
        Ok(block_in_place(|| session.query_row_as::<i64>(sql, &[&number]))?)
    }

    async fn swap(
        session: SessionRef<'_, Self::Raw>,
        key: &str,
        from: Option<&str>,
        to: Option<&str>,
    ) -> Result<bool> {
        // A session that has ended writes nothing, as in a database; and none ends meanwhile.
        let mut register = block_in_place(register);
        block_in_place(|| session.ping())?;
        if register.get(key).map(String::as_str) != from {
            return Ok(false);
        }
        match to {
            Some(to) => register.insert(key.to_owned(), to.to_owned()),
            None => register.remove(key),
        };
        Ok(true)
    }

    async fn holder(session: SessionRef<'_, Self::Raw>, key: &str) -> Result<Option<String>> {
        block_in_place(|| session.ping())?;
        Ok(register().get(key).cloned())
    }

    async fn lives(session: SessionRef<'_, Self::Raw>, name: &str) -> Result<bool> {
        let sid: i64 = name.parse()?;
        let sql = "select sid from v$lock where type = 'UL' and sid = :1 and lmode > 0";
        let rows = block_in_place(|| session.query_as::<i64>(sql, &[&sid]))?;
        Ok(rows.count() > 0)
    }
}

impl Observer for Oracle {
    fn prepare(&self) -> BoxFuture<'_, Result<()>> {
        register().clear();
        Box::pin(async { Ok(()) })
    }

    fn seen(&self) -> BoxFuture<'_, Result<Vec<Seen>>> {
        Box::pin(async move { block_in_place(|| self.see()) })
    }

    fn kill<'a>(&'a self, session: &'a str) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move { block_in_place(|| self.end(session)) })
    }

    fn freeze(&self, time: Duration) -> BoxFuture<'_, Result<bool>> {
        Box::pin(async move {
            if is_real() {
                return Ok(false);
            }
            let connection = self.connect()?;
            let freeze = |is: bool| format!("alter system set \"_standin_frozen\" = '{is}'");
            block_in_place(|| connection.execute(&freeze(true), &[]))?;
            tokio::time::sleep(time).await;
            block_in_place(|| connection.execute(&freeze(false), &[]))?;
            Ok(true)
        })
    }

    /// A wait that does not hear its break ends with its slice of five seconds.
    fn forgets(&self) -> Duration {
        Duration::from_secs(7)
    }
}
