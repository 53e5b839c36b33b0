//! What a lock may be asked for before it is acquired, where its server can do it.

use crate::{
    Lock, RawMode, RawPrepared, RawReleaseOnCommit, RawShared, RawSlice, RawUpdate, XactLock,
};
use std::time::Duration;

impl<R: RawShared> Lock<R> {
    /// Asks for the shared mode: many may hold it, and nobody exclusively meanwhile.
    ///
    /// # Panics
    /// On a locked lock.
    ///
    /// # Examples
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), dlock_db::memory::Error> {
    /// # use dlock_db::memory::{Database, Lock};
    /// # let session = Database::new().session();
    /// let mut lock = Lock::new(session, "report")?.shared();
    /// let guard = lock.lock().await?; // beside others who share
    /// guard.release().await?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use = "a lock does nothing until it is acquired"]
    pub fn shared(mut self) -> Self {
        self.raw_mut().set_shared();
        self
    }
}

impl<R: RawUpdate> Lock<R> {
    /// Asks for the update mode: one may hold it beside shared ones, and later upgrade.
    ///
    /// # Panics
    /// On a locked lock.
    ///
    /// # Examples
    /// ```
    /// # use dlock_db::{Error, Lock, RawUnlock, RawUpdate};
    /// # async fn example<R: RawUnlock + RawUpdate>(lock: Lock<R>) -> Result<(), Error<R::Error>> {
    /// let mut lock = lock.update();
    /// let guard = lock.lock().await?; // beside others who share, alone of those who may upgrade
    /// guard.release().await?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use = "a lock does nothing until it is acquired"]
    pub fn update(mut self) -> Self {
        self.raw_mut().set_update();
        self
    }
}

impl<R: RawMode> Lock<R> {
    /// Asks for this mode.
    ///
    /// # Panics
    /// On a locked lock.
    ///
    /// # Examples
    /// ```
    /// # use dlock_db::{Error, Lock, RawMode, RawUnlock};
    /// # async fn example<R: RawUnlock + RawMode>(lock: Lock<R>, mode: R::Mode) -> Result<(), Error<R::Error>> {
    /// let mut lock = lock.with_mode(mode);
    /// lock.lock().await?.release().await?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use = "a lock does nothing until it is acquired"]
    pub fn with_mode(mut self, mode: R::Mode) -> Self {
        self.raw_mut().set_mode(mode);
        self
    }
}

impl<R: RawReleaseOnCommit> Lock<R> {
    /// Lets the caller's COMMIT and ROLLBACK free the lock too. A release after that is `Ok`.
    ///
    /// # Panics
    /// On a locked lock.
    ///
    /// # Examples
    /// ```
    /// # use dlock_db::{Error, Lock, RawReleaseOnCommit, RawUnlock};
    /// # async fn example<R: RawUnlock + RawReleaseOnCommit>(lock: Lock<R>) -> Result<(), Error<R::Error>> {
    /// let mut lock = lock.release_on_commit();
    /// let guard = lock.lock().await?;
    /// // … COMMIT frees the key …
    /// guard.release().await?; // and this is `Ok`
    /// # Ok(())
    /// # }
    /// ```
    #[must_use = "a lock does nothing until it is acquired"]
    pub fn release_on_commit(mut self) -> Self {
        self.raw_mut().set_release_on_commit();
        self
    }
}

impl<R: RawSlice> Lock<R> {
    /// Sets the longest time that one statement waits in the server's queue: a wait goes on in slices,
    /// each of which joins the queue anew. What is right, and its price, says the driver's crate.
    ///
    /// # Panics
    /// On a locked lock.
    ///
    /// # Examples
    /// ```
    /// # use dlock_db::{Error, Lock, RawSlice, RawUnlock};
    /// # async fn example<R: RawUnlock + RawSlice>(lock: Lock<R>) -> Result<(), Error<R::Error>> {
    /// use std::time::Duration;
    ///
    /// let mut lock = lock.slice(Duration::from_secs(60)); // longer than the longest read
    /// lock.lock().await?.release().await?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use = "a lock does nothing until it is acquired"]
    pub fn slice(mut self, longest: Duration) -> Self {
        self.raw_mut().set_slice(longest);
        self
    }
}

impl<R: RawPrepared> Lock<R> {
    /// Has statements prepared that are said again, which takes one more round trip for each, once; from
    /// then on the server need not parse them. For a lock that is taken again and again with the same wait.
    ///
    /// # Panics
    /// On a locked lock.
    ///
    /// # Examples
    /// ```
    /// # fn example<R: dlock_db::RawPrepared>(lock: dlock_db::Lock<R>) {
    /// let mut lock = lock.prepared();
    /// # drop(lock);
    /// # }
    /// ```
    #[must_use = "a lock does nothing until it is acquired"]
    pub fn prepared(mut self) -> Self {
        self.raw_mut().set_prepared();
        self
    }
}

impl<R: RawShared> XactLock<R> {
    /// Asks for the shared mode: many may hold it, and nobody exclusively meanwhile.
    ///
    /// # Panics
    /// On a locked lock.
    ///
    /// # Examples
    /// ```
    /// # use dlock_db::{Error, RawShared, XactLock};
    /// # async fn example<R: RawShared>(lock: XactLock<R>) -> Result<(), Error<R::Error>> {
    /// let mut lock = lock.shared();
    /// lock.lock().await?; // beside others who share, until the transaction ends
    /// # Ok(())
    /// # }
    /// ```
    #[must_use = "a lock does nothing until it is acquired"]
    pub fn shared(mut self) -> Self {
        self.raw_mut().set_shared();
        self
    }
}

impl<R: RawUpdate> XactLock<R> {
    /// Asks for the update mode: one may hold it beside shared ones.
    ///
    /// # Panics
    /// On a locked lock.
    ///
    /// # Examples
    /// ```
    /// # use dlock_db::{Error, RawUpdate, XactLock};
    /// # async fn example<R: RawUpdate>(lock: XactLock<R>) -> Result<(), Error<R::Error>> {
    /// let mut lock = lock.update();
    /// lock.lock().await?; // beside others who share, until the transaction ends
    /// # Ok(())
    /// # }
    /// ```
    #[must_use = "a lock does nothing until it is acquired"]
    pub fn update(mut self) -> Self {
        self.raw_mut().set_update();
        self
    }
}
