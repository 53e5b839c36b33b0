//! The crate distributed-lock with its back ends for PostgreSQL and MySQL, over one pool.

use std::time::Duration;

use anyhow::{Context, Result};
use distributed_lock_core::error::LockError;
use distributed_lock_core::traits::{DistributedLock, LockHandle, LockProvider};
use distributed_lock_mysql::MySqlLockProvider;
use distributed_lock_postgres::PostgresLockProvider;
use sqlx_0_8::mysql::MySqlPoolOptions;
use sqlx_0_8::postgres::PgPoolOptions;

use crate::locker::Locker;
use crate::place::Place;
use crate::source::Source;

/// As many as any measure has at once, and some.
const CONNECTIONS: u32 = 64;

/// Its way to wait for ever on MySQL does not work on MariaDB.
const LONG: Duration = Duration::from_secs(3600);

impl Source for PostgresLockProvider {
    const IS_POOL: bool = true;

    async fn open(place: Place) -> Result<Self> {
        let pool = PgPoolOptions::new().max_connections(CONNECTIONS).connect(&place.url()).await?;
        Ok(Self::builder().pool(pool).build().await?)
    }
}

impl Source for MySqlLockProvider {
    const IS_POOL: bool = true;

    async fn open(place: Place) -> Result<Self> {
        let options = MySqlPoolOptions::new().max_connections(CONNECTIONS);
        Ok(Self::builder().pool(options.connect(&place.url()).await?).build().await?)
    }
}

/// A lock of the provider `P`.
pub(super) struct Distributed<P: LockProvider> {
    lock: P::Lock,
    handle: Option<<P::Lock as DistributedLock>::Handle>,
}

impl<P: LockProvider + Source> Locker for Distributed<P> {
    type Source = P;

    async fn connect(provider: &P, key: u32) -> Result<Self> {
        Ok(Self { lock: provider.create_lock(&key.to_string()), handle: None })
    }

    async fn acquire(&mut self) -> Result<()> {
        self.handle = Some(self.lock.acquire(Some(LONG)).await?);
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

/// Its lock for PostgreSQL.
pub(super) type Postgres = Distributed<PostgresLockProvider>;

/// Its lock for MySQL.
pub(super) type Mysql = Distributed<MySqlLockProvider>;
