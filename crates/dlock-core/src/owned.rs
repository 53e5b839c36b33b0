use crate::{Error, Lock, RawAbort, RawConvert, RawLock, RawUnlock, RawUpgrade, SessionRef, Wait};
use std::error;
use std::fmt;

/// A held lock that owns its lock, and with it an owned session: `Send + 'static` for
/// `tokio::spawn`. Dropping it releases in the background.
#[must_use = "a guard that is dropped releases the lock"]
pub struct OwnedGuard<R: RawLock> {
    lock: Lock<R>,
}

impl<R: RawLock> OwnedGuard<R> {
    pub(crate) fn new(lock: Lock<R>) -> Self {
        Self { lock }
    }

    /// The same guard over what this makes of the driver's lock: for drivers that stand in front of others.
    pub fn map_raw<Q: RawLock>(self, map: impl FnOnce(R) -> Q) -> OwnedGuard<Q> {
        OwnedGuard { lock: self.lock.map_raw(map) }
    }

    /// The session the lock lives on: what it protects is best done here, and ends with it. It is the native
    /// connection, by `&mut` where the lock owns it or was lent it so, by `&` where it is shared.
    ///
    /// # Examples
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), dlock_db::memory::Error> {
    /// # use dlock_db::memory::{Database, Lock};
    /// # let session = Database::new().session();
    /// let mut guard = Lock::new(session, "invoice:42")?.lock_owned().await?;
    /// let answer = guard.session().echo(42).await; // on the lock's own session
    /// # assert_eq!(answer, Ok(42));
    /// guard.release().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn session(&mut self) -> SessionRef<'_, R> {
        self.lock.machine_mut().raw.session().expect("a held lock has its session")
    }

    /// The key as the server sees it.
    ///
    /// # Examples
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), dlock_db::memory::Error> {
    /// # use dlock_db::memory::{Database, Lock};
    /// # let session = Database::new().session();
    /// let guard = Lock::new(session, "invoice:42")?.lock_owned().await?;
    /// assert_eq!(guard.key().to_string(), "invoice:42");
    /// # Ok(())
    /// # }
    /// ```
    pub fn key(&self) -> &R::Key {
        self.lock.key()
    }

    /// The mode the lock is held in.
    ///
    /// # Examples
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), dlock_db::memory::Error> {
    /// # use dlock_db::memory::{Database, Lock};
    /// # let session = Database::new().session();
    /// # use dlock_db::memory::Mode;
    /// let guard = Lock::new(session, "invoice:42")?.lock_owned().await?;
    /// assert_eq!(guard.mode(), Mode::Exclusive);
    /// # Ok(())
    /// # }
    /// ```
    pub fn mode(&self) -> R::Mode {
        self.lock.mode()
    }
}

impl<R: RawLock> OwnedGuard<R> {
    /// Completes with [`Error::Lost`] when the session has ended while the lock is held, as soon as the
    /// driver can know that without asking the server; where it cannot, never.
    ///
    /// # Cancel safety
    /// May be dropped and called again.
    ///
    /// # Examples
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), dlock_db::memory::Error> {
    /// # use dlock_db::memory::{Database, Lock};
    /// # let session = Database::new().session();
    /// let mut guard = Lock::new(session, "invoice:42")?.lock_owned().await?;
    /// # let work = async {};
    /// tokio::select! {
    ///     () = work => drop(guard.release().await?),
    ///     error = guard.lost() => return Err(error),
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn lost(&mut self) -> Error<R::Error> {
        self.lock.machine_mut().raw.closed().await;
        Error::Lost(None)
    }

    /// Whether the session has ended, as far as the driver knows without asking the server.
    ///
    /// # Examples
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), dlock_db::memory::Error> {
    /// # use dlock_db::memory::{Database, Lock};
    /// # let session = Database::new().session();
    /// let guard = Lock::new(session, "invoice:42")?.lock_owned().await?;
    /// assert!(!guard.is_lost());
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn is_lost(&self) -> bool {
        !self.lock.is_locked()
    }
}

impl<R: RawAbort> OwnedGuard<R> {
    /// Ends the session and whatever runs on it, and returns when the server has let go: for work whose
    /// time is over.
    ///
    /// # Errors
    /// Where that could not be had, with the lock in the error: [`Lock::close`] tries it again.
    ///
    /// # Cancel safety
    /// May be dropped at any await: the session is ended in the background.
    ///
    /// # Examples
    /// ```
    /// # use dlock_db::{Error, OwnedGuard, RawAbort};
    /// # async fn example<R: RawAbort>(guard: OwnedGuard<R>) -> Result<(), Error<R::Error>> {
    /// guard.abort().await.map_err(Error::from)?; // whatever runs on its session ends with it
    /// # Ok(())
    /// # }
    /// ```
    pub async fn abort(mut self) -> Result<(), NotReleased<R>> {
        match self.lock.abort().await {
            Ok(()) => Ok(()),
            Err(error) => Err(NotReleased { lock: self.lock, error }),
        }
    }
}

impl<R: RawUnlock> OwnedGuard<R> {
    /// Releases, and gives the lock back.
    ///
    /// # Errors
    /// As [`Lock::release`], with the lock in the error.
    ///
    /// # Cancel safety
    /// May be dropped at any await: the key is released; an owned session ends.
    ///
    /// # Examples
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), dlock_db::memory::Error> {
    /// # use dlock_db::memory::{Database, Lock};
    /// # let session = Database::new().session();
    /// let guard = Lock::new(session, "invoice:42")?.lock_owned().await?;
    /// // … critical section …
    /// let lock = guard.release().await?;
    /// # drop(lock);
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "unlock")]
    pub async fn release(mut self) -> Result<Lock<R>, NotReleased<R>> {
        match self.lock.release().await {
            Ok(()) => Ok(self.lock),
            Err(error) => Err(NotReleased { lock: self.lock, error }),
        }
    }
}

impl<R: RawUnlock + RawUpgrade> OwnedGuard<R> {
    /// Takes an update lock to exclusive, and gives the guard back with whether it is now.
    ///
    /// # Errors
    /// As [`Lock::upgrade`], with the lock in the error.
    ///
    /// # Cancel safety
    /// As [`Lock::upgrade`]; an owned session ends.
    ///
    /// # Examples
    /// ```
    /// # use dlock_db::{Error, OwnedGuard, RawUnlock, RawUpgrade};
    /// # async fn example<R: RawUnlock + RawUpgrade>(guard: OwnedGuard<R>) -> Result<(), Error<R::Error>> {
    /// use std::time::Duration;
    ///
    /// let (guard, upgraded) = guard.upgrade(Duration::from_secs(2)).await.map_err(Error::from)?;
    /// if upgraded {
    ///     // … write, alone …
    /// }
    /// guard.release().await.map_err(Error::from)?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn upgrade(mut self, wait: impl Into<Wait>) -> Result<(Self, bool), NotAcquired<R>> {
        match self.lock.upgrade(wait).await {
            Ok(upgraded) => Ok((self, upgraded)),
            Err(error) => Err(NotAcquired { lock: self.lock, error }),
        }
    }
}

impl<R: RawUnlock + RawConvert> OwnedGuard<R> {
    /// Takes the lock to another mode, and gives the guard back with whether it is now.
    ///
    /// # Errors
    /// As [`Lock::convert`], with the lock in the error.
    ///
    /// # Cancel safety
    /// As [`Lock::convert`]; an owned session ends.
    ///
    /// # Examples
    /// ```
    /// # use dlock_db::{Error, OwnedGuard, RawConvert, RawUnlock};
    /// # async fn example<R: RawUnlock + RawConvert>(guard: OwnedGuard<R>, mode: R::Mode) -> Result<(), Error<R::Error>> {
    /// use std::time::Duration;
    ///
    /// let (guard, converted) = guard.convert(mode, Duration::from_secs(2)).await.map_err(Error::from)?;
    /// guard.release().await.map_err(Error::from)?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn convert(
        mut self,
        mode: R::Mode,
        wait: impl Into<Wait>,
    ) -> Result<(Self, bool), NotAcquired<R>> {
        match self.lock.convert(mode, wait).await {
            Ok(converted) => Ok((self, converted)),
            Err(error) => Err(NotAcquired { lock: self.lock, error }),
        }
    }
}

impl<R: RawLock> fmt::Debug for OwnedGuard<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("OwnedGuard").field(&self.lock).finish()
    }
}

/// The lock was not acquired: here it is again, with its session, and why.
///
/// Turns into the driver's [`Error`] by `?` where the lock is not wanted back.
pub struct NotAcquired<R: RawLock> {
    /// The lock; its [`is_locked`](Lock::is_locked) says what is held.
    pub lock: Lock<R>,
    /// Why.
    pub error: Error<R::Error>,
}

/// The lock was not released as asked: here it is again, with its session, and why.
///
/// Turns into the driver's [`Error`] by `?` where the lock is not wanted back.
pub struct NotReleased<R: RawLock> {
    /// The lock; its [`is_locked`](Lock::is_locked) says what is held.
    pub lock: Lock<R>,
    /// Why.
    pub error: Error<R::Error>,
}

impl<R: RawLock> From<NotAcquired<R>> for Error<R::Error> {
    fn from(failure: NotAcquired<R>) -> Self {
        failure.error
    }
}

impl<R: RawLock> From<NotReleased<R>> for Error<R::Error> {
    fn from(failure: NotReleased<R>) -> Self {
        failure.error
    }
}

impl<R: RawLock> fmt::Debug for NotAcquired<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NotAcquired").field("lock", &self.lock).field("error", &self.error).finish()
    }
}

impl<R: RawLock> fmt::Debug for NotReleased<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NotReleased").field("lock", &self.lock).field("error", &self.error).finish()
    }
}

impl<R: RawLock> fmt::Display for NotAcquired<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "could not acquire the lock ({})", self.lock)
    }
}

impl<R: RawLock> fmt::Display for NotReleased<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "could not release the lock ({})", self.lock)
    }
}

impl<R: RawLock> error::Error for NotAcquired<R> {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        Some(&self.error)
    }
}

impl<R: RawLock> error::Error for NotReleased<R> {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        Some(&self.error)
    }
}
