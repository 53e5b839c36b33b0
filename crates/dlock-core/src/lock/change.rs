//! Another mode of a lock that is held.

use super::Lock;
use crate::{Error, RawConvert, RawUnlock, RawUpgrade, Wait};

impl<R: RawUnlock + RawUpgrade> Lock<R> {
    /// Takes a held update lock to exclusive. `false`: `wait` ran out, still held in the old mode.
    ///
    /// # Errors
    /// [`Error::WrongMode`] on a lock that was not built with `.update()`; [`Error::NotLocked`];
    /// [`Error::Deadlock`]; all with the old mode still held, as [`is_locked`](Lock::is_locked) says.
    ///
    /// # Cancel safety
    /// May be dropped at any await: both modes are then released in the background.
    ///
    /// # Examples
    /// ```
    /// # use dlock_db::{Error, Lock, RawUnlock, RawUpdate, RawUpgrade};
    /// # async fn example<R: RawUnlock + RawUpdate + RawUpgrade>(lock: Lock<R>) -> Result<(), Error<R::Error>> {
    /// use std::time::Duration;
    ///
    /// let mut lock = lock.update();
    /// lock.acquire(None).await?;
    /// // … read, beside those who read too …
    /// if lock.upgrade(Duration::from_secs(2)).await? {
    ///     // … write, alone …
    /// }
    /// lock.release().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn upgrade(&mut self, wait: impl Into<Wait>) -> Result<bool, Error<R::Error>> {
        self.watched().upgrade(wait.into()).await
    }
}

impl<R: RawUnlock + RawConvert> Lock<R> {
    /// Takes a held lock to another mode. `false`: `wait` ran out, still held in the old mode.
    ///
    /// # Errors
    /// [`Error::NotLocked`]; [`Error::Deadlock`] with the old mode still held.
    ///
    /// # Cancel safety
    /// May be dropped at any await: the lock is then released in the background.
    ///
    /// # Examples
    /// ```
    /// # use dlock_db::{Error, Lock, RawConvert, RawUnlock};
    /// # async fn example<R: RawUnlock + RawConvert>(mut lock: Lock<R>, mode: R::Mode) -> Result<(), Error<R::Error>> {
    /// use std::time::Duration;
    ///
    /// lock.acquire(None).await?;
    /// let converted = lock.convert(mode, Duration::from_secs(2)).await?;
    /// lock.release().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn convert(
        &mut self,
        mode: R::Mode,
        wait: impl Into<Wait>,
    ) -> Result<bool, Error<R::Error>> {
        self.watched().convert(mode, wait.into()).await
    }
}
