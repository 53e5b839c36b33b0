//! MySQL and MariaDB: this library and the raw driver.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use dlock_mysql::Lock;
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Opts, Row};

use crate::locker::Locker;
use crate::place::Place;
use crate::source::Recorded;
use crate::statements::Statements;

/// What both servers take for a wait that never ends.
const FOREVER: u32 = 31_536_000;

async fn conn(place: &Place) -> Result<Conn> {
    let opts = mysql_async::OptsBuilder::from_opts(Opts::from_url(&place.url())?);
    Ok(Conn::new(opts.prefer_socket(false)).await?)
}

/// After so many uses a lock knows its session, and its statements change no more.
pub(super) const FIRST_USES: u32 = 2;

/// The raw driver, which sends what this library sends after so many uses.
pub(super) struct Raw<const USES: u32> {
    conn: Conn,
    statements: Statements,
}

impl<const USES: u32> Locker for Raw<USES> {
    type Source = Recorded<Owned, USES>;

    async fn connect(recorded: &Recorded<Owned, USES>, key: u32) -> Result<Self> {
        let conn = conn(&recorded.place).await?;
        let statements = recorded.statements.with_key(key).on_session(conn.id());
        Ok(Self { conn, statements })
    }

    async fn acquire(&mut self) -> Result<()> {
        if ask(&mut self.conn, &self.statements.acquire).await? == 0 {
            let wait = self.statements.wait.as_ref().context("a statement that waits")?;
            ask(&mut self.conn, wait).await?;
        }
        Ok(())
    }

    async fn release(&mut self) -> Result<()> {
        ask(&mut self.conn, &self.statements.release).await.map(drop)
    }

    async fn acquire_within(&mut self, limit: Duration) -> Result<Option<bool>> {
        let Some(text) = self.statements.within(limit) else { return Ok(None) };
        match self.conn.query_first::<Option<i64>, _>(text).await {
            Ok(answer) => Ok(Some(answer.flatten() == Some(1))),
            // The server's own time limit for a statement: how MySQL waits for less than a second.
            Err(mysql_async::Error::Server(error)) if error.code == 3024 => Ok(Some(false)),
            Err(error) => Err(error.into()),
        }
    }
}

/// The number in the first column: some answers have more.
async fn ask(conn: &mut Conn, text: &str) -> Result<i64> {
    let answer: Option<Row> = conn.query_first(text).await?;
    let number = answer.and_then(|row| row.get::<Option<i64>, _>(0).flatten());
    number.context("the server did not say")
}

/// The raw driver, which has the statements of a lock that knows its session prepared.
pub(super) struct RawPrepared(Raw<FIRST_USES>);

impl RawPrepared {
    async fn ask(&mut self, text: fn(&Statements) -> &str) -> Result<()> {
        let Raw { conn, statements } = &mut self.0;
        let answer: Option<Option<i64>> = conn.exec_first(text(statements), ()).await?;
        answer.flatten().map(drop).context("the server did not say")
    }
}

impl Locker for RawPrepared {
    type Source = Recorded<Owned, FIRST_USES>;

    async fn connect(recorded: &Recorded<Owned, FIRST_USES>, key: u32) -> Result<Self> {
        Ok(Self(Raw::connect(recorded, key).await?))
    }

    async fn acquire(&mut self) -> Result<()> {
        self.ask(|statements| &statements.acquire).await
    }

    async fn release(&mut self) -> Result<()> {
        self.ask(|statements| &statements.release).await
    }
}

/// The raw driver with one plain statement each way: nothing of what this library's statements see
/// to besides.
pub(super) struct Plain {
    conn: Conn,
    key: u32,
}

impl Locker for Plain {
    type Source = Place;

    async fn connect(place: &Place, key: u32) -> Result<Self> {
        Ok(Self { conn: conn(place).await?, key })
    }

    async fn acquire(&mut self) -> Result<()> {
        let text = format!("SELECT GET_LOCK('{}', {FOREVER})", self.key);
        ask(&mut self.conn, &text).await.map(drop)
    }

    async fn release(&mut self) -> Result<()> {
        let text = format!("SELECT RELEASE_LOCK('{}')", self.key);
        ask(&mut self.conn, &text).await.map(drop)
    }
}

/// The raw driver, as it is first written: a prepared statement.
pub(super) struct Naive {
    conn: Conn,
    key: String,
}

impl Naive {
    async fn get(&mut self, seconds: f64) -> Result<bool> {
        let arguments = (&self.key, seconds);
        let answer: Option<Option<i64>> =
            self.conn.exec_first("SELECT GET_LOCK(?, ?)", arguments).await?;
        Ok(answer.flatten() == Some(1))
    }
}

impl Locker for Naive {
    type Source = Place;

    async fn connect(place: &Place, key: u32) -> Result<Self> {
        Ok(Self { conn: conn(place).await?, key: key.to_string() })
    }

    async fn acquire(&mut self) -> Result<()> {
        ensure!(self.get(FOREVER.into()).await?, "not granted");
        Ok(())
    }

    async fn release(&mut self) -> Result<()> {
        self.conn.exec_drop("SELECT RELEASE_LOCK(?)", (&self.key,)).await?;
        Ok(())
    }

    async fn acquire_within(&mut self, limit: Duration) -> Result<Option<bool>> {
        Ok(Some(self.get(limit.as_secs_f64()).await?))
    }
}

/// This library over a connection that it owns.
pub(super) struct Owned<const IS_PREPARED: bool = false> {
    lock: Lock,
}

impl<const IS_PREPARED: bool> Locker for Owned<IS_PREPARED> {
    type Source = Place;

    async fn connect(place: &Place, key: u32) -> Result<Self> {
        let lock = Lock::new(conn(place).await?, key.to_string())?;
        Ok(Self { lock: if IS_PREPARED { lock.prepared() } else { lock } })
    }

    async fn acquire(&mut self) -> Result<()> {
        // The guard would borrow the lock; what it does on release is what `release` does.
        self.lock.acquire(None).await?;
        Ok(())
    }

    async fn release(&mut self) -> Result<()> {
        Ok(self.lock.release().await?)
    }

    async fn acquire_within(&mut self, limit: Duration) -> Result<Option<bool>> {
        Ok(Some(self.lock.acquire(limit).await?))
    }

    async fn pairs(&mut self, count: u32) -> Result<()> {
        for _ in 0..count {
            self.lock.lock().await?.release().await?;
        }
        Ok(())
    }
}

/// This library over a connection that it is lent, with a new lock each time.
pub(super) struct Lent {
    conn: Conn,
    key: String,
}

impl Locker for Lent {
    type Source = Place;

    async fn connect(place: &Place, key: u32) -> Result<Self> {
        Ok(Self { conn: conn(place).await?, key: key.to_string() })
    }

    async fn pairs(&mut self, count: u32) -> Result<()> {
        for _ in 0..count {
            Lock::new(&mut self.conn, self.key.as_str())?.lock().await?.release().await?;
        }
        Ok(())
    }
}
