//! SQL Server: this library and the raw driver.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use dlock_mssql::Lock;
use tiberius::{Client, Config, ToSql};
use tokio::net::TcpStream;
use tokio_util::compat::{Compat, TokioAsyncWriteCompatExt};

use crate::locker::Locker;
use crate::place::Place;
use crate::source::Recorded;
use crate::statements::Statements;

/// A client over TCP.
pub(crate) type Tcp = Client<Compat<TcpStream>>;

/// Connects.
pub(crate) async fn client(place: &Place) -> Result<Tcp> {
    let stream = TcpStream::connect(place.address()).await?;
    stream.set_nodelay(true)?;
    Ok(Client::connect(Config::from_ado_string(&place.url())?, stream.compat_write()).await?)
}

/// What the batch returned, and the database it ran in.
async fn ask(client: &mut Tcp, batch: &str, given: &[&dyn ToSql]) -> Result<(i32, i32)> {
    let row = client.query(batch, given).await?.into_row().await?.context("a row")?;
    let code = row.try_get(0)?.context("the server did not say")?;
    Ok((code, row.try_get(1)?.context("the server did not say where")?))
}

/// What this library asks for while it waits for ever: slices of 25 seconds.
const SLICE: i32 = 25_000;

/// The raw driver, which sends what this library sends, with the same parameters.
pub(super) struct Raw {
    client: Tcp,
    key: String,
    statements: Statements,
    /// Where the lock was granted.
    database: i32,
}

impl Raw {
    /// Asks for the lock, and says whether it was granted.
    async fn get(&mut self, batch: &str, millis: i32) -> Result<bool> {
        let given: &[&dyn ToSql] = &[&self.key.as_str(), &"Exclusive", &millis];
        let (code, database) = ask(&mut self.client, batch, given).await?;
        ensure!((-1..=1).contains(&code), "refused: {code}");
        self.database = database;
        Ok(code >= 0)
    }
}

impl Locker for Raw {
    type Source = Recorded<Owned>;

    async fn connect(recorded: &Recorded<Owned>, key: u32) -> Result<Self> {
        let statements = recorded.statements.clone();
        Ok(Self {
            client: client(&recorded.place).await?,
            key: key.to_string(),
            statements,
            database: 0,
        })
    }

    async fn acquire(&mut self) -> Result<()> {
        let batch = self.statements.acquire.clone();
        let granted = self.get(&batch, SLICE).await?;
        ensure!(granted, "not granted");
        Ok(())
    }

    async fn release(&mut self) -> Result<()> {
        let given: &[&dyn ToSql] = &[&self.key.as_str(), &self.database, &1];
        let (code, _) = ask(&mut self.client, &self.statements.release, given).await?;
        ensure!(code == 0, "it was not held");
        Ok(())
    }

    async fn acquire_within(&mut self, limit: Duration) -> Result<Option<bool>> {
        let Some(batch) = self.statements.within(limit).map(str::to_owned) else { return Ok(None) };
        self.get(&batch, i32::try_from(limit.as_millis())?).await.map(Some)
    }
}

/// The raw driver with nothing but the procedures, and names in the text.
pub(super) struct Plain {
    client: Tcp,
    key: u32,
}

impl Plain {
    async fn run(&mut self, text: String) -> Result<i32> {
        let row = self.client.simple_query(text).await?.into_row().await?.context("a row")?;
        row.try_get(0)?.context("the server did not say")
    }
}

impl Locker for Plain {
    type Source = Place;

    async fn connect(place: &Place, key: u32) -> Result<Self> {
        Ok(Self { client: client(place).await?, key })
    }

    async fn acquire(&mut self) -> Result<()> {
        let text = format!(
            "DECLARE @code int; EXEC @code = sp_getapplock @Resource = '{}', \
             @LockMode = 'Exclusive', @LockOwner = 'Session', @LockTimeout = -1; SELECT @code",
            self.key
        );
        let code = self.run(text).await?;
        ensure!(code == 0 || code == 1, "refused: {code}");
        Ok(())
    }

    async fn release(&mut self) -> Result<()> {
        let text = format!(
            "DECLARE @code int; EXEC @code = sp_releaseapplock @Resource = '{}', \
             @LockOwner = 'Session'; SELECT @code",
            self.key
        );
        ensure!(self.run(text).await? == 0, "it was not held");
        Ok(())
    }
}

/// This library over a client that it owns.
pub(super) struct Owned {
    lock: Lock<Tcp>,
}

impl Locker for Owned {
    type Source = Place;

    async fn connect(place: &Place, key: u32) -> Result<Self> {
        Ok(Self { lock: Lock::new(client(place).await?, key.to_string())? })
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

/// This library over a client that it is lent, with a new lock each time.
pub(super) struct Lent {
    client: Tcp,
    key: String,
}

impl Locker for Lent {
    type Source = Place;

    async fn connect(place: &Place, key: u32) -> Result<Self> {
        Ok(Self { client: client(place).await?, key: key.to_string() })
    }

    async fn pairs(&mut self, count: u32) -> Result<()> {
        for _ in 0..count {
            Lock::new(&mut self.client, self.key.as_str())?.lock().await?.release().await?;
        }
        Ok(())
    }
}
