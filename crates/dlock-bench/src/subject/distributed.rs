//! The crate distributed-lock with its back ends for PostgreSQL and MySQL.

use std::time::Duration;

use anyhow::{Context, Result};
use distributed_lock_core::error::LockError;
use distributed_lock_core::traits::{DistributedLock, LockHandle, LockProvider};
use distributed_lock_mysql::MySqlLockProvider;
use distributed_lock_postgres::PostgresLockProvider;

use crate::locker::Locker;
use crate::place::Place;

/// Its lock for PostgreSQL.
pub(super) struct Postgres(Held<<PostgresLockProvider as LockProvider>::Lock>);

/// Its lock for MySQL.
pub(super) struct Mysql(Held<<MySqlLockProvider as LockProvider>::Lock>);

struct Held<L: DistributedLock> {
    lock: L,
    handle: Option<L::Handle>,
}

impl<L: DistributedLock> Held<L> {
    async fn acquire(&mut self) -> Result<()> {
        self.handle = Some(self.lock.acquire(None).await?);
        Ok(())
    }

    async fn release(&mut self) -> Result<()> {
        Ok(self.handle.take().context("it is not locked")?.release().await?)
    }

    async fn acquire_within(&mut self, limit: Duration) -> Result<Option<bool>> {
        match self.lock.acquire(Some(limit)).await {
            Ok(handle) => self.handle = Some(handle),
            Err(LockError::Timeout(_)) => return Ok(Some(false)),
            Err(error) => return Err(error.into()),
        }
        Ok(Some(true))
    }
}

impl Locker for Postgres {
    async fn connect(place: Place, key: u32) -> Result<Self> {
        let provider = PostgresLockProvider::new(place.url()).await?;
        let lock = provider.create_lock(&key.to_string());
        Ok(Self(Held { lock, handle: None }))
    }

    async fn acquire(&mut self) -> Result<()> {
        self.0.acquire().await
    }

    async fn release(&mut self) -> Result<()> {
        self.0.release().await
    }

    async fn acquire_within(&mut self, limit: Duration) -> Result<Option<bool>> {
        self.0.acquire_within(limit).await
    }
}

impl Locker for Mysql {
    async fn connect(place: Place, key: u32) -> Result<Self> {
        let provider = MySqlLockProvider::new(place.url()).await?;
        let lock = provider.create_lock(&key.to_string());
        Ok(Self(Held { lock, handle: None }))
    }

    async fn acquire(&mut self) -> Result<()> {
        self.0.acquire().await
    }

    async fn release(&mut self) -> Result<()> {
        self.0.release().await
    }

    async fn acquire_within(&mut self, limit: Duration) -> Result<Option<bool>> {
        self.0.acquire_within(limit).await
    }
}
