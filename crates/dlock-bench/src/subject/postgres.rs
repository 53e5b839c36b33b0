//! PostgreSQL: this library and the raw driver.

use std::time::Duration;

use anyhow::Result;
use dlock_postgres::{Lock, Session};
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, NoTls};

use crate::locker::Locker;
use crate::place::Place;
use crate::statements::Statements;

async fn client(place: Place) -> Result<Client> {
    let (client, connection) = tokio_postgres::connect(&place.url(), NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

/// The raw driver, which sends what this library sends.
pub(super) struct Raw {
    client: Client,
    statements: Statements,
}

impl Locker for Raw {
    async fn connect(place: Place, key: u32) -> Result<Self> {
        let statements = Statements::of::<Owned>(place, key).await?;
        Ok(Self { client: client(place).await?, statements })
    }

    async fn acquire(&mut self) -> Result<()> {
        self.client.simple_query(&self.statements.acquire).await?;
        Ok(())
    }

    async fn release(&mut self) -> Result<()> {
        self.client.simple_query(&self.statements.release).await?;
        Ok(())
    }

    async fn acquire_within(&mut self, limit: Duration) -> Result<Option<bool>> {
        let Some(text) = self.statements.within(limit) else { return Ok(None) };
        match self.client.simple_query(text).await {
            Ok(_) => Ok(Some(true)),
            Err(error) if error.code() == Some(&SqlState::LOCK_NOT_AVAILABLE) => Ok(Some(false)),
            Err(error) => Err(error.into()),
        }
    }
}

/// The raw driver with one plain statement each way: no time-out, no check, no safety. What is left
/// when all that this library's statements see to is left out.
pub(super) struct Plain {
    client: Client,
    key: u32,
}

impl Locker for Plain {
    async fn connect(place: Place, key: u32) -> Result<Self> {
        Ok(Self { client: client(place).await?, key })
    }

    async fn acquire(&mut self) -> Result<()> {
        let text = format!("SELECT pg_advisory_lock({})", self.key);
        self.client.simple_query(&text).await?;
        Ok(())
    }

    async fn release(&mut self) -> Result<()> {
        let text = format!("SELECT pg_advisory_unlock({})", self.key);
        self.client.simple_query(&text).await?;
        Ok(())
    }
}

/// The raw driver, as it is first written: a query with a parameter.
pub(super) struct Naive {
    client: Client,
    key: i64,
}

impl Locker for Naive {
    async fn connect(place: Place, key: u32) -> Result<Self> {
        Ok(Self { client: client(place).await?, key: key.into() })
    }

    async fn acquire(&mut self) -> Result<()> {
        self.client.execute("SELECT pg_advisory_lock($1)", &[&self.key]).await?;
        Ok(())
    }

    async fn release(&mut self) -> Result<()> {
        self.client.execute("SELECT pg_advisory_unlock($1)", &[&self.key]).await?;
        Ok(())
    }

    async fn acquire_within(&mut self, limit: Duration) -> Result<Option<bool>> {
        let set = format!("SET lock_timeout={}", limit.as_millis());
        self.client.batch_execute(&set).await?;
        let answer = self.acquire().await;
        self.client.batch_execute("RESET lock_timeout").await?;
        Ok(Some(answer.is_ok()))
    }
}

/// This library over a session that it owns.
pub(super) struct Owned {
    lock: Lock<Session>,
}

impl Locker for Owned {
    async fn connect(place: Place, key: u32) -> Result<Self> {
        let (client, connection) = tokio_postgres::connect(&place.url(), NoTls).await?;
        Ok(Self { lock: Lock::new(Session::new(client, connection), i64::from(key))? })
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
    client: Client,
    key: i64,
}

impl Locker for Lent {
    async fn connect(place: Place, key: u32) -> Result<Self> {
        Ok(Self { client: client(place).await?, key: key.into() })
    }

    async fn pairs(&mut self, count: u32) -> Result<()> {
        for _ in 0..count {
            Lock::new(&self.client, self.key)?.lock().await?.release().await?;
        }
        Ok(())
    }
}
