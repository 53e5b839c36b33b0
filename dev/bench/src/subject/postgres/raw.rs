//! The raw driver, in locks that wait.

use std::time::Duration;

use anyhow::{Context, Result};
use tokio_postgres::{Client, SimpleQueryMessage};

use super::{Shared, client};
use crate::locker::Locker;
use crate::place::Place;
use crate::source::Recorded;
use crate::statements::Statements;

/// The raw driver, which sends what this library sends.
pub(crate) struct Raw {
    client: Client,
    statements: Statements,
}

impl Locker for Raw {
    type Source = Recorded<Shared>;

    async fn connect(recorded: &Recorded<Shared>, key: u32) -> Result<Self> {
        let statements = recorded.statements.with_key(key);
        Ok(Self { client: client(&recorded.place).await?, statements })
    }

    async fn acquire(&mut self) -> Result<()> {
        let mut is_granted = self.ask(&self.statements.acquire).await?;
        while !is_granted {
            let wait = self.statements.wait.as_ref().context("a statement that waits")?;
            is_granted = self.ask(wait).await?;
        }
        Ok(())
    }

    async fn release(&mut self) -> Result<()> {
        self.client.simple_query(&self.statements.release).await?;
        Ok(())
    }
}

impl Raw {
    /// Whether the last of its answers is true.
    async fn ask(&self, text: &str) -> Result<bool> {
        let messages = self.client.simple_query(text).await?;
        let row = messages.iter().rev().find_map(|message| match message {
            SimpleQueryMessage::Row(row) => Some(row),
            _ => None,
        });
        Ok(row.context("a row")?.get(0) == Some("t"))
    }
}

/// The raw driver with one plain statement each way: no time-out, no check, no safety. What is left
/// when all that this library's statements see to is left out.
pub(crate) struct Plain {
    client: Client,
    key: u32,
}

impl Locker for Plain {
    type Source = Place;

    async fn connect(place: &Place, key: u32) -> Result<Self> {
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
pub(crate) struct Naive {
    client: Client,
    key: i64,
}

impl Locker for Naive {
    type Source = Place;

    async fn connect(place: &Place, key: u32) -> Result<Self> {
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
