//! Holds whose mode may change.

use crate::{Error, Held, Mode, ModesDriver, UpdateDriver};
use dlock_core::Wait;

impl<D: UpdateDriver> Held<D> {
    /// Takes an update lock to exclusive, and gives it back with whether it is now.
    ///
    /// # Errors
    /// [`Error::WrongMode`] where it is not an update lock. Whatever the error, the lock is released.
    ///
    /// # Cancel safety
    /// Dropped, the lock is released.
    ///
    /// # Examples
    /// ```
    /// # use dlock_db::{Locks, UpdateDriver};
    /// # async fn example<D: UpdateDriver>(locks: Locks<D>)
    /// # -> Result<(), Box<dyn std::error::Error>>
    /// # where
    /// #     for<'k> D::Key: From<&'k str>,
    /// # {
    /// use std::time::Duration;
    ///
    /// let held = locks.key("stock")?.update().lock().await?;
    /// let (held, upgraded) = held.upgrade(Duration::from_secs(2)).await?;
    /// if upgraded {
    ///     // … write, alone …
    /// }
    /// held.release().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn upgrade(self, wait: impl Into<Wait>) -> Result<(Self, bool), Error<D::Error>> {
        match self.mode() {
            Mode::Update => self.change(Mode::Exclusive, wait.into()).await,
            mode => Err(Error::WrongMode { key: self.key().to_string(), mode }),
        }
    }
}

impl<D: ModesDriver> Held<D> {
    /// Takes a lock that was asked for by its [mode](crate::Request::mode) to another mode, and gives it
    /// back with whether it is now: `false`, at once, for one that was not asked for by its mode, whose session
    /// may have other keys to serve.
    ///
    /// # Errors
    /// [`Error::Lost`]. Whatever the error, the lock is released.
    ///
    /// # Cancel safety
    /// Dropped, the lock is released.
    ///
    /// # Examples
    /// ```
    /// # use dlock_db::{Locks, ModesDriver};
    /// # async fn example<D: ModesDriver>(locks: Locks<D>)
    /// # -> Result<(), Box<dyn std::error::Error>>
    /// # where
    /// #     for<'k> D::Key: From<&'k str>,
    /// # {
    /// use dlock_db::Mode;
    /// use std::time::Duration;
    ///
    /// let held = locks.key("stock")?.mode(Mode::Shared).lock().await?;
    /// let (held, converted) = held.convert(Mode::Exclusive, Duration::from_secs(2)).await?;
    /// held.release().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn convert(
        self,
        mode: impl Into<Mode>,
        wait: impl Into<Wait>,
    ) -> Result<(Self, bool), Error<D::Error>> {
        self.change(mode.into(), wait.into()).await
    }
}
