//! Oracle: this library and the raw driver.

mod raw;

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use anyhow::Result;
use dlock_oracle::Lock;
use oracle::{Connection, InitParams};

use crate::locker::Locker;
use crate::place::Place;

pub(super) use raw::{Naive, Raw};

/// Connects to a simulated database in this process, of which there is one.
pub(crate) fn connection() -> Result<Connection> {
    static CLIENT: LazyLock<Result<(), String>> =
        LazyLock::new(|| load().map_err(|error| format!("{error:#}")));
    CLIENT.clone().map_err(anyhow::Error::msg)?;
    Ok(Connection::connect("scott", "tiger", "bench")?)
}

/// Loads the stand-in for the client library, which the build leaves beside the dependencies of
/// this program.
fn load() -> Result<()> {
    let mut client = InitParams::new();
    client.oracle_client_lib_dir(std::env::current_exe()?.with_file_name("deps"))?;
    client.init()?;
    Ok(())
}

/// This library over a connection that it owns.
pub(super) struct Owned {
    lock: Lock<Connection>,
}

impl Locker for Owned {
    type Source = Place;

    async fn connect(_place: &Place, key: u32) -> Result<Self> {
        Ok(Self { lock: Lock::new(connection()?, i64::from(key))? })
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

/// This library over a connection that others may have too: a try goes before every wait.
pub(super) struct Shared {
    lock: Lock<Arc<Connection>>,
}

impl Locker for Shared {
    type Source = Place;

    async fn connect(_place: &Place, key: u32) -> Result<Self> {
        Ok(Self { lock: Lock::new(Arc::new(connection()?), i64::from(key))? })
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
