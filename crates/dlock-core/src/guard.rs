use crate::{Error, Lock, RawAbort, RawConvert, RawLock, RawUnlock, RawUpgrade, SessionRef, Wait};
use std::fmt;
use std::mem::ManuallyDrop;

/// A held lock, borrowed. Dropping it releases in the background.
///
/// Release-on-drop is not immediate: use [`release`](Guard::release) where the next holder matters,
/// and to be told when the lock was lost.
#[must_use = "a guard that is dropped releases the lock"]
pub struct Guard<'a, R: RawLock> {
    lock: &'a mut Lock<R>,
}

const HELD: &str = "a held lock has its session";

impl<'a, R: RawLock> Guard<'a, R> {
    pub(crate) fn new(lock: &'a mut Lock<R>) -> Self {
        Self { lock }
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
    /// let mut lock = Lock::new(session, "invoice:42")?;
    /// let mut guard = lock.lock().await?;
    /// let answer = guard.session().echo(42).await; // on the lock's own session
    /// # assert_eq!(answer, Ok(42));
    /// guard.release().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn session(&mut self) -> SessionRef<'_, R> {
        self.lock.machine_mut().raw.session().expect(HELD)
    }

    /// The key as the server sees it.
    ///
    /// # Examples
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), dlock_db::memory::Error> {
    /// # use dlock_db::memory::{Database, Lock};
    /// # let session = Database::new().session();
    /// let mut lock = Lock::new(session, "invoice:42")?;
    /// let guard = lock.lock().await?;
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
    /// let mut lock = Lock::new(session, "invoice:42")?;
    /// let guard = lock.lock().await?;
    /// assert_eq!(guard.mode(), Mode::Exclusive);
    /// # Ok(())
    /// # }
    /// ```
    pub fn mode(&self) -> R::Mode {
        self.lock.mode()
    }
}

impl<R: RawLock> Guard<'_, R> {
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
    /// let mut lock = Lock::new(session, "invoice:42")?;
    /// let mut guard = lock.lock().await?;
    /// # let work = async {};
    /// tokio::select! {
    ///     () = work => guard.release().await?,
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
    /// let mut lock = Lock::new(session, "invoice:42")?;
    /// let guard = lock.lock().await?;
    /// assert!(!guard.is_lost());
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn is_lost(&self) -> bool {
        !self.lock.is_locked()
    }
}

impl<R: RawUnlock> Guard<'_, R> {
    /// Releases at the end of a scope. What cannot be released is let go of in the background.
    pub(crate) async fn leave(self) -> Result<(), Error<R::Error>> {
        let mut guard = ManuallyDrop::new(self);
        let left = guard.lock.release_scope().await;
        if left.is_err() {
            guard.lock.machine_mut().abandon();
        }
        left
    }

    /// Releases.
    ///
    /// # Errors
    /// As [`Lock::release`]; where the lock is still held, [`Lock::is_locked`] says so.
    ///
    /// # Cancel safety
    /// As [`Lock::release`].
    ///
    /// # Examples
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), dlock_db::memory::Error> {
    /// # use dlock_db::memory::{Database, Lock};
    /// # let session = Database::new().session();
    /// let mut lock = Lock::new(session, "invoice:42")?;
    /// let guard = lock.lock().await?;
    /// // … critical section …
    /// guard.release().await?;
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "unlock")]
    pub async fn release(self) -> Result<(), Error<R::Error>> {
        // The lock's own state says from here on what is held.
        ManuallyDrop::new(self).lock.release().await
    }
}

impl<R: RawAbort> Guard<'_, R> {
    /// Ends the session and whatever runs on it, and returns when the server has let go: for work whose
    /// time is over.
    ///
    /// # Errors
    /// Where that could not be had; [`Lock::close`] tries it again.
    ///
    /// # Cancel safety
    /// May be dropped at any await: the lock is in doubt until its next call ends the session.
    ///
    /// # Examples
    /// ```
    /// # use dlock_db::{Error, Guard, RawAbort};
    /// # async fn example<R: RawAbort>(guard: Guard<'_, R>) -> Result<(), Error<R::Error>> {
    /// guard.abort().await?; // whatever runs on its session ends with it
    /// # Ok(())
    /// # }
    /// ```
    pub async fn abort(self) -> Result<(), Error<R::Error>> {
        ManuallyDrop::new(self).lock.abort().await
    }
}

impl<R: RawUnlock + RawUpgrade> Guard<'_, R> {
    /// Takes an update lock to exclusive, and gives the guard back with whether it is now.
    ///
    /// # Errors
    /// As [`Lock::upgrade`]. The guard is gone then, and the lock still held where
    /// [`Lock::is_locked`] says so.
    ///
    /// # Cancel safety
    /// As [`Lock::upgrade`].
    ///
    /// # Examples
    /// ```
    /// # use dlock_db::{Error, Guard, RawUnlock, RawUpgrade};
    /// # async fn example<R: RawUnlock + RawUpgrade>(guard: Guard<'_, R>) -> Result<(), Error<R::Error>> {
    /// use std::time::Duration;
    ///
    /// let (guard, upgraded) = guard.upgrade(Duration::from_secs(2)).await?;
    /// if upgraded {
    ///     // … write, alone …
    /// }
    /// guard.release().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn upgrade(self, wait: impl Into<Wait>) -> Result<(Self, bool), Error<R::Error>> {
        let mut guard = ManuallyDrop::new(self);
        let upgraded = guard.lock.upgrade(wait).await?;
        Ok((ManuallyDrop::into_inner(guard), upgraded))
    }
}

impl<R: RawUnlock + RawConvert> Guard<'_, R> {
    /// Takes the lock to another mode, and gives the guard back with whether it is now.
    ///
    /// # Errors
    /// As [`Lock::convert`]. The guard is gone then, and the lock still held where
    /// [`Lock::is_locked`] says so.
    ///
    /// # Cancel safety
    /// As [`Lock::convert`].
    ///
    /// # Examples
    /// ```
    /// # use dlock_db::{Error, Guard, RawConvert, RawUnlock};
    /// # async fn example<R: RawUnlock + RawConvert>(guard: Guard<'_, R>, mode: R::Mode) -> Result<(), Error<R::Error>> {
    /// use std::time::Duration;
    ///
    /// let (guard, converted) = guard.convert(mode, Duration::from_secs(2)).await?;
    /// guard.release().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn convert(
        self,
        mode: R::Mode,
        wait: impl Into<Wait>,
    ) -> Result<(Self, bool), Error<R::Error>> {
        let mut guard = ManuallyDrop::new(self);
        let converted = guard.lock.convert(mode, wait).await?;
        Ok((ManuallyDrop::into_inner(guard), converted))
    }
}

impl<R: RawLock> Drop for Guard<'_, R> {
    fn drop(&mut self) {
        self.lock.machine_mut().abandon();
    }
}

impl<R: RawLock> fmt::Debug for Guard<'_, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Guard").field(&self.lock).finish()
    }
}
