use crate::driver::{Driver, SharedDriver};
use crate::input::Input;
use crate::locks::Shared;
use crate::model::{Asked, Patience, RequestId};
use crate::{Error, Held, Locks, Mode};
use dlock_core::Wait;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;

/// A request for a key, to be refined before it is made. It may be made again and again.
#[must_use = "nothing is asked for yet"]
pub struct Request<D: Driver> {
    locks: Locks<D>,
    key: D::Key,
    mode: Mode,
}

impl<D: Driver> Request<D> {
    pub(crate) fn new(locks: Locks<D>, key: D::Key) -> Self {
        Self { locks, key, mode: Mode::Exclusive }
    }

    /// Waits for as long as it takes.
    ///
    /// # Errors
    /// All but [`Error::TimedOut`].
    ///
    /// # Cancel safety
    /// Dropped, it leaves its place in the queue, and a key that was granted meanwhile is let go.
    pub async fn lock(&self) -> Result<Held<D>, Error<D::Error>> {
        self.acquire(Wait::Forever).await
    }

    /// Takes the key if it is free. `None`: it is not.
    ///
    /// # Errors
    /// All but [`Error::TimedOut`].
    ///
    /// # Cancel safety
    /// As [`lock`](Self::lock).
    pub async fn try_lock(&self) -> Result<Option<Held<D>>, Error<D::Error>> {
        match self.acquire(Wait::No).await {
            Ok(held) => Ok(Some(held)),
            Err(Error::TimedOut { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Waits for at most so long.
    ///
    /// # Errors
    /// [`Error::TimedOut`] when the time is over first.
    ///
    /// # Cancel safety
    /// As [`lock`](Self::lock).
    pub async fn lock_within(&self, limit: Duration) -> Result<Held<D>, Error<D::Error>> {
        self.acquire(limit).await
    }

    /// Waits like this.
    ///
    /// # Errors
    /// [`Error::TimedOut`] when the time is over first, for [`Wait::No`] too.
    ///
    /// # Cancel safety
    /// As [`lock`](Self::lock).
    pub async fn acquire(&self, wait: impl Into<Wait>) -> Result<Held<D>, Error<D::Error>> {
        let shared = &self.locks.shared;
        let request = shared.request();
        let (key, mode) = (self.key.clone(), self.mode);
        let patience = patience(shared, wait.into());
        let (sender, answer) = oneshot::channel();
        let mut asking = Asking { shared, request, is_open: true };
        shared.tell(Input::Ask(Asked { request, key, mode, patience }, sender));
        let granting = answer.await.map_err(|_| Error::Closed)?;
        asking.is_open = false;
        let hold = granting.map_err(|refused| Error::refused::<D>(&self.key, refused))?;
        Ok(Held::new(Arc::clone(shared), request, self.key.clone(), mode, hold))
    }

    /// Runs a body under the lock, for as long as the lock is held, and releases.
    ///
    /// # Errors
    /// As [`acquire`](Self::acquire), and [`Error::Lost`] when the lock was lost: the body was dropped
    /// then, or others may have held the key while it ran.
    ///
    /// # Cancel safety
    /// Dropped, so is the body, and the lock is released.
    pub async fn with<T, F>(&self, wait: impl Into<Wait>, body: F) -> Result<T, Error<D::Error>>
    where
        F: AsyncFnOnce(&Held<D>) -> T,
    {
        let held = self.acquire(wait).await?;
        let value = held.run_until_lost(body(&held)).await?;
        held.release().await?;
        Ok(value)
    }
}

impl<D: SharedDriver> Request<D> {
    /// Asks for the shared mode: many may hold it, and nobody exclusively meanwhile.
    pub fn shared(mut self) -> Self {
        self.mode = Mode::Shared;
        self
    }
}

fn patience<D: Driver>(shared: &Shared<D>, wait: Wait) -> Patience {
    match wait.normal() {
        Wait::No => Patience::No,
        Wait::Forever => Patience::Forever,
        Wait::For(limit) => {
            shared.clock.now().checked_add(limit).map_or(Patience::Forever, Patience::Until)
        }
    }
}

/// A request that is under way. Dropped, it is called back, with what it may have been granted.
struct Asking<'a, D: Driver> {
    shared: &'a Shared<D>,
    request: RequestId,
    is_open: bool,
}

impl<D: Driver> Drop for Asking<'_, D> {
    fn drop(&mut self) {
        if self.is_open {
            self.shared.tell(Input::Drop(self.request));
        }
    }
}

impl<D: Driver> fmt::Debug for Request<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("key", &self.key)
            .field("mode", &self.mode)
            .finish_non_exhaustive()
    }
}
