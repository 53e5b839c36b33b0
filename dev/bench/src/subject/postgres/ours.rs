//! This library, in locks that wait.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use dlock_postgres::{Lock, Session};
use tokio_postgres::{Client, NoTls};

use super::client;
use crate::locker::Locker;
use crate::place::Place;

/// This library over a session that it owns, both halves of it.
pub(crate) struct Owned {
    lock: Lock<Session>,
}

impl Locker for Owned {
    type Source = Place;

    async fn connect(place: &Place, key: u32) -> Result<Self> {
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

/// This library over a client that others may have too, whose connection runs in a task.
pub(crate) struct Shared {
    lock: Lock<Arc<Client>>,
}

impl Locker for Shared {
    type Source = Place;

    async fn connect(place: &Place, key: u32) -> Result<Self> {
        Ok(Self { lock: Lock::new(Arc::new(client(place).await?), i64::from(key))? })
    }

    async fn acquire(&mut self) -> Result<()> {
        self.lock.acquire(None).await?;
        Ok(())
    }

    async fn release(&mut self) -> Result<()> {
        Ok(self.lock.release().await?)
    }

    async fn acquire_within(&mut self, limit: Duration) -> Result<Option<bool>> {
        Ok(Some(self.lock.acquire(limit).await?))
    }
}

/// This library over a client that it is lent, with a new lock each time.
pub(crate) struct Lent {
    client: Client,
    key: i64,
}

impl Locker for Lent {
    type Source = Place;

    async fn connect(place: &Place, key: u32) -> Result<Self> {
        Ok(Self { client: client(place).await?, key: key.into() })
    }

    async fn pairs(&mut self, count: u32) -> Result<()> {
        for _ in 0..count {
            Lock::new(&self.client, self.key)?.lock().await?.release().await?;
        }
        Ok(())
    }
}
