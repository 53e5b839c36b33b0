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
    pub async fn upgrade(self, wait: impl Into<Wait>) -> Result<(Self, bool), Error<D::Error>> {
        match self.mode() {
            Mode::Update => self.change(Mode::Exclusive, wait.into()).await,
            mode => Err(Error::WrongMode { key: self.key().to_string(), mode }),
        }
    }
}

impl<D: ModesDriver> Held<D> {
    /// Takes a lock that was asked for by its [mode](crate::Request::mode) to another mode, and gives it
    /// back with whether it is now.
    ///
    /// # Errors
    /// [`Error::Lost`]. Whatever the error, the lock is released.
    ///
    /// # Cancel safety
    /// Dropped, the lock is released.
    pub async fn convert(
        self,
        mode: impl Into<Mode>,
        wait: impl Into<Wait>,
    ) -> Result<(Self, bool), Error<D::Error>> {
        self.change(mode.into(), wait.into()).await
    }
}
