//! This library and the raw driver, in acquires that do not wait.

use anyhow::{Context, Result, ensure};
use dlock_postgres::{Lock, Session};
use tokio_postgres::types::Type;
use tokio_postgres::{Client, NoTls, Statement};

use super::client;
use crate::locker::Locker;
use crate::place::Place;

const TRY: &str = "SELECT pg_try_advisory_lock($1)";
const UNLOCK: &str = "SELECT pg_advisory_unlock($1)";

/// The raw driver with the types of the parameters: one message, and nothing is prepared.
pub(crate) struct Typed {
    client: Client,
    key: i64,
}

impl Typed {
    async fn ask(&self, statement: &str) -> Result<()> {
        let row = self.client.query_typed(statement, &[(&self.key, Type::INT8)]).await?;
        ensure!(row.first().context("a row")?.get::<_, bool>(0), "not granted");
        Ok(())
    }
}

impl Locker for Typed {
    type Source = Place;

    async fn connect(place: &Place, key: u32) -> Result<Self> {
        Ok(Self { client: client(place).await?, key: key.into() })
    }

    async fn acquire(&mut self) -> Result<()> {
        self.ask(TRY).await
    }

    async fn release(&mut self) -> Result<()> {
        self.ask(UNLOCK).await
    }
}

/// The raw driver with a query as it is first written: prepared anew each time.
pub(crate) struct Unprepared {
    client: Client,
    key: i64,
}

impl Unprepared {
    async fn ask(&self, statement: &str) -> Result<()> {
        ensure!(
            self.client.query_one(statement, &[&self.key]).await?.get::<_, bool>(0),
            "not granted"
        );
        Ok(())
    }
}

impl Locker for Unprepared {
    type Source = Place;

    async fn connect(place: &Place, key: u32) -> Result<Self> {
        Ok(Self { client: client(place).await?, key: key.into() })
    }

    async fn acquire(&mut self) -> Result<()> {
        self.ask(TRY).await
    }

    async fn release(&mut self) -> Result<()> {
        self.ask(UNLOCK).await
    }
}

/// The raw driver with statements that were prepared beforehand.
pub(crate) struct Prepared {
    client: Client,
    key: i64,
    attempt: Statement,
    unlock: Statement,
}

impl Prepared {
    async fn ask(&self, statement: &Statement) -> Result<()> {
        ensure!(
            self.client.query_one(statement, &[&self.key]).await?.get::<_, bool>(0),
            "not granted"
        );
        Ok(())
    }
}

impl Locker for Prepared {
    type Source = Place;

    async fn connect(place: &Place, key: u32) -> Result<Self> {
        let client = client(place).await?;
        let [attempt, unlock] = [client.prepare(TRY).await?, client.prepare(UNLOCK).await?];
        Ok(Self { client, key: key.into(), attempt, unlock })
    }

    async fn acquire(&mut self) -> Result<()> {
        self.ask(&self.attempt).await
    }

    async fn release(&mut self) -> Result<()> {
        self.ask(&self.unlock).await
    }
}

/// This library over a session that it owns.
pub(crate) struct TryOwned {
    lock: Lock<Session>,
}

impl Locker for TryOwned {
    type Source = Place;

    async fn connect(place: &Place, key: u32) -> Result<Self> {
        let (client, connection) = tokio_postgres::connect(&place.url(), NoTls).await?;
        Ok(Self { lock: Lock::new(Session::new(client, connection), i64::from(key))? })
    }

    async fn pairs(&mut self, count: u32) -> Result<()> {
        for _ in 0..count {
            self.lock.try_lock().await?.context("not granted")?.release().await?;
        }
        Ok(())
    }
}

/// This library over a client that it is lent, with a new lock each time.
pub(crate) struct TryLent {
    client: Client,
    key: i64,
}

impl Locker for TryLent {
    type Source = Place;

    async fn connect(place: &Place, key: u32) -> Result<Self> {
        Ok(Self { client: client(place).await?, key: key.into() })
    }

    async fn pairs(&mut self, count: u32) -> Result<()> {
        for _ in 0..count {
            let mut lock = Lock::new(&self.client, self.key)?;
            lock.try_lock().await?.context("not granted")?.release().await?;
        }
        Ok(())
    }
}
