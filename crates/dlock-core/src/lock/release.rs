//! Letting go, by hand or at the end of a scope.

use super::Lock;
use crate::state::Scope;
use crate::{Error, RawAbort, RawUnlock, SessionRef, Wait, WithError};

impl<R: RawUnlock> Lock<R> {
    /// Releases.
    ///
    /// # Errors
    /// [`Error::NotLocked`] on a lock that is not locked; [`Error::Lost`] when the session turns out
    /// not to hold the key, or has ended; [`Error::Interrupted`] when the server stayed silent for
    /// [`GRACE`](crate::GRACE): the lock is then in doubt. Any other error leaves the lock locked.
    ///
    /// # Cancel safety
    /// May be dropped at any await: the key is released in the background.
    ///
    /// # Examples
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), dlock_db::memory::Error> {
    /// # use dlock_db::memory::{Database, Lock};
    /// # let session = Database::new().session();
    /// let mut lock = Lock::new(session, "invoice:42")?;
    /// lock.acquire(None).await?;
    /// // … critical section …
    /// lock.release().await?;
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "unlock")]
    pub async fn release(&mut self) -> Result<(), Error<R::Error>> {
        self.watched().release(Scope::ByHand).await
    }

    pub(crate) async fn release_scope(&mut self) -> Result<(), Error<R::Error>> {
        self.watched().release(Scope::Ends).await
    }

    /// Releases if locked, else does nothing; `Ok` once the key is certainly not held.
    ///
    /// # Errors
    /// As [`release`](Lock::release), except that a lock that is not locked is fine.
    ///
    /// # Cancel safety
    /// As [`release`](Lock::release).
    ///
    /// # Examples
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), dlock_db::memory::Error> {
    /// # use dlock_db::memory::{Database, Lock};
    /// # let session = Database::new().session();
    /// let mut lock = Lock::new(session, "invoice:42")?;
    /// let held = lock.acquire(None).await?;
    /// # assert!(held);
    /// lock.close().await?;
    /// lock.close().await?; // does nothing
    /// # Ok(())
    /// # }
    /// ```
    pub async fn close(&mut self) -> Result<(), Error<R::Error>> {
        self.watched().close().await
    }

    /// Runs `body` with the session under the lock, and releases whatever it returns.
    ///
    /// # Errors
    /// [`WithError`] holds what `body` returned where only the release failed, and turns into
    /// [`Error`] by `?`. Its error is [`Error::TimedOut`] when `wait` runs out, also for
    /// [`Wait::No`]; the rest as [`acquire`](Lock::acquire) and [`release`](Lock::release).
    ///
    /// # Cancel safety
    /// May be dropped at any await, as [`acquire`](Lock::acquire); inside `body` the key is released
    /// in the background. When `body` panics it is released in the background too.
    ///
    /// # Examples
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), dlock_db::memory::Error> {
    /// # use dlock_db::memory::{Database, Lock};
    /// # let session = Database::new().session();
    /// use dlock_db::Wait;
    ///
    /// let mut lock = Lock::new(session, "invoice:42")?;
    /// let answer = lock.with(Wait::Forever, async |session| session.echo(42).await).await?;
    /// # assert_eq!(answer, Ok(42));
    /// # Ok(())
    /// # }
    /// ```
    pub async fn with<T, F>(
        &mut self,
        wait: impl Into<Wait>,
        body: F,
    ) -> Result<T, WithError<T, R::Error>>
    where
        F: for<'s> AsyncFnOnce(SessionRef<'s, R>) -> T,
    {
        let mut guard = self.guard(wait.into()).await?.ok_or(Error::TimedOut)?;
        let value = body(guard.session()).await;
        match guard.leave().await {
            Ok(()) => Ok(value),
            Err(error) => Err(WithError { value: Some(value), error }),
        }
    }
}

impl<R: RawAbort> Lock<R> {
    /// Ends the session. The machine is in doubt meanwhile, and so is who drops this.
    pub(crate) async fn abort(&mut self) -> Result<(), Error<R::Error>> {
        self.watched().abort().await
    }
}
