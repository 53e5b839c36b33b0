//! One way to take and give back a lock, over one connection.

use std::future::Future;
use std::time::Duration;

use anyhow::{Result, bail};

use crate::source::Source;

/// What a subject does over one connection. Every call is the subject's own idiom.
pub(crate) trait Locker: Sized + Send + 'static {
    /// Where its connection comes from.
    type Source: Source;

    /// Opens a connection; the key is what it locks.
    fn connect(source: &Self::Source, key: u32) -> impl Future<Output = Result<Self>> + Send;

    /// Acquires, and waits for as long as it takes.
    fn acquire(&mut self) -> impl Future<Output = Result<()>> + Send {
        async { bail!("it takes and gives back in one go only") }
    }

    /// Releases.
    fn release(&mut self) -> impl Future<Output = Result<()>> + Send {
        async { bail!("it takes and gives back in one go only") }
    }

    /// Acquires within a time: whether it did, or `None` when there is no such call.
    fn acquire_within(
        &mut self,
        limit: Duration,
    ) -> impl Future<Output = Result<Option<bool>>> + Send {
        let _ = limit;
        async { Ok(None) }
    }

    /// Acquires and releases so many times.
    fn pairs(&mut self, count: u32) -> impl Future<Output = Result<()>> + Send {
        async move {
            for _ in 0..count {
                self.acquire().await?;
                self.release().await?;
            }
            Ok(())
        }
    }
}
