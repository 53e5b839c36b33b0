//! A lock that moves into its guard, and gives its session back.

use super::{Lock, PRESENT};
use crate::{Error, NotAcquired, OwnedGuard, RawIntoSession, RawUnlock, Wait};
use std::time::Duration;

impl<R: RawUnlock> Lock<R> {
    /// Acquires, waiting for as long as it takes, and moves the lock into the guard.
    ///
    /// # Errors
    /// As [`acquire`](Lock::acquire), with the lock in the error.
    ///
    /// # Cancel safety
    /// As [`acquire`](Lock::acquire); an owned session goes with the lock that was moved in.
    ///
    /// # Examples
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), dlock_db::memory::Error> {
    /// # use dlock_db::memory::{Database, Lock};
    /// # let session = Database::new().session();
    /// let guard = Lock::new(session, "invoice:42")?.lock_owned().await?;
    /// tokio::spawn(async move {
    ///     // … critical section …
    ///     guard.release().await
    /// })
    /// # .await
    /// # .expect("no panic")?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn lock_owned(self) -> Result<OwnedGuard<R>, NotAcquired<R>> {
        self.owned(Wait::Forever).await
    }

    /// Acquires if nobody holds the key, and moves the lock into the guard.
    ///
    /// # Errors
    /// [`Error::TimedOut`] at once when somebody does; the rest as [`acquire`](Lock::acquire), with
    /// the lock in the error.
    ///
    /// # Cancel safety
    /// As [`lock_owned`](Lock::lock_owned).
    ///
    /// # Examples
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), dlock_db::memory::Error> {
    /// # use dlock_db::memory::{Database, Lock};
    /// # let session = Database::new().session();
    /// use dlock_db::{Error, NotAcquired};
    ///
    /// let lock = Lock::new(session, "invoice:42")?;
    /// match lock.try_lock_owned().await {
    ///     Ok(guard) => drop(guard.release().await?), // … after the critical section
    ///     Err(NotAcquired { lock: _given_back, error: Error::TimedOut }) => println!("taken"),
    ///     Err(failure) => return Err(failure.error),
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn try_lock_owned(self) -> Result<OwnedGuard<R>, NotAcquired<R>> {
        self.owned(Wait::No).await
    }

    /// Acquires, waiting for at most `limit`, and moves the lock into the guard.
    ///
    /// # Errors
    /// [`Error::TimedOut`] at the deadline; the rest as [`acquire`](Lock::acquire), with the lock in
    /// the error.
    ///
    /// # Cancel safety
    /// As [`lock_owned`](Lock::lock_owned).
    ///
    /// # Examples
    /// Over a session that is borrowed, so is the lock in the error: `map_err(Error::from)` leaves it behind.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), dlock_db::memory::Error> {
    /// # use dlock_db::memory::{Database, Lock};
    /// # let session = Database::new().session();
    /// use dlock_db::Error;
    /// use std::time::Duration;
    ///
    /// let lock = Lock::new(&session, "invoice:42")?;
    /// let guard = lock.lock_owned_within(Duration::from_secs(2)).await.map_err(Error::from)?;
    /// // … critical section …
    /// guard.release().await.map_err(Error::from)?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn lock_owned_within(self, limit: Duration) -> Result<OwnedGuard<R>, NotAcquired<R>> {
        self.owned(Wait::from(limit)).await
    }

    async fn owned(mut self, wait: Wait) -> Result<OwnedGuard<R>, NotAcquired<R>> {
        match self.acquire(wait).await {
            Ok(true) => Ok(OwnedGuard::new(self)),
            Ok(false) => Err(NotAcquired { lock: self, error: Error::TimedOut }),
            Err(error) => Err(NotAcquired { lock: self, error }),
        }
    }

    /// Releases if locked, and gives an owned session back.
    ///
    /// # Errors
    /// As [`close`](Lock::close); [`Error::Closed`] when the session has ended. The lock is gone in
    /// both cases.
    ///
    /// # Cancel safety
    /// May be dropped at any await: the key is released, and the session ends.
    ///
    /// # Examples
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), dlock_db::memory::Error> {
    /// # use dlock_db::memory::{Database, Lock};
    /// # let session = Database::new().session();
    /// let guard = Lock::new(session, "invoice:42")?.lock_owned().await?;
    /// // … critical section …
    /// let session = guard.release().await?.into_session().await?;
    /// # drop(session);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn into_session(mut self) -> Result<R::Owned, Error<R::Error>>
    where
        R: RawIntoSession,
    {
        self.close().await?;
        let watched = self.watched.take().expect(PRESENT);
        watched.machine.raw.into_session().ok_or(Error::Closed)
    }
}
