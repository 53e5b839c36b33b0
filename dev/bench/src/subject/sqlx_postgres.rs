//! sqlx and its `PgAdvisoryLock`.

use anyhow::{Context, Result};
use sqlx::postgres::{PgAdvisoryLock, PgAdvisoryLockGuard, PgAdvisoryLockKey, PgConnection};
use sqlx::{Connection, Either};

use crate::locker::Locker;
use crate::place::Place;

/// A connection, which goes into the guard and comes back with the release.
pub(super) struct Sqlx {
    lock: PgAdvisoryLock,
    place: Option<Either<Box<PgConnection>, PgAdvisoryLockGuard<Box<PgConnection>>>>,
}

impl Locker for Sqlx {
    type Source = Place;

    async fn connect(place: &Place, key: u32) -> Result<Self> {
        let conn = PgConnection::connect(&place.url()).await?;
        let lock = PgAdvisoryLock::with_key(PgAdvisoryLockKey::BigInt(key.into()));
        Ok(Self { lock, place: Some(Either::Left(Box::new(conn))) })
    }

    async fn acquire(&mut self) -> Result<()> {
        let conn = self.place.take().and_then(Either::left).context("it is locked already")?;
        self.place = Some(Either::Right(self.lock.acquire(conn).await?));
        Ok(())
    }

    async fn release(&mut self) -> Result<()> {
        let guard = self.place.take().and_then(Either::right).context("it is not locked")?;
        self.place = Some(Either::Left(guard.release_now().await?));
        Ok(())
    }
}

/// The same in acquires that do not wait.
pub(super) struct TrySqlx(Sqlx);

impl Locker for TrySqlx {
    type Source = Place;

    async fn connect(place: &Place, key: u32) -> Result<Self> {
        Sqlx::connect(place, key).await.map(Self)
    }

    async fn acquire(&mut self) -> Result<()> {
        let conn = self.0.place.take().and_then(Either::left).context("it is locked already")?;
        let guard = self.0.lock.try_acquire(conn).await?.left().context("not granted")?;
        self.0.place = Some(Either::Right(guard));
        Ok(())
    }

    async fn release(&mut self) -> Result<()> {
        self.0.release().await
    }
}
