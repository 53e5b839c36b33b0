//! This library with sessions of its own, over any of its drivers.

use std::future::Future;

use anyhow::Result;
use dlock_core::KeyError;
use dlock_locks::{Driver, Locks};

use crate::locker::Locker;
use crate::place::Place;

/// A driver as it is connected here.
pub(crate) trait Layered: Driver<Key: Send> + Sized
where
    String: TryInto<Self::Key, Error: Into<KeyError>>,
{
    /// Connects with the defaults.
    fn locks(place: Place) -> impl Future<Output = Result<Locks<Self>>> + Send;
}

impl Layered for dlock_postgres::Server {
    async fn locks(place: Place) -> Result<Locks<Self>> {
        Ok(dlock_postgres::Locks::connect(&place.url()).await?)
    }
}

impl Layered for dlock_mysql::Server {
    async fn locks(place: Place) -> Result<Locks<Self>> {
        Ok(dlock_mysql::Locks::connect(&place.url()).await?)
    }
}

/// One task of a factory, with one key.
pub(crate) struct Layer<D: Driver> {
    locks: Locks<D>,
    key: String,
}

impl<D: Layered> Locker for Layer<D>
where
    String: TryInto<D::Key, Error: Into<KeyError>>,
{
    type Source = Place;

    async fn connect(place: &Place, key: u32) -> Result<Self> {
        Ok(Self { locks: D::locks(*place).await?, key: key.to_string() })
    }

    async fn pairs(&mut self, count: u32) -> Result<()> {
        for _ in 0..count {
            self.locks.lock(self.key.clone()).await?.release().await?;
        }
        Ok(())
    }
}
