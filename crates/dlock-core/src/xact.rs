use crate::watch::Watched;
use crate::{Error, KeyError, RawLock, RawNew, SessionRef, Wait};
use std::fmt;
use std::time::Duration;

/// A lock on one key that belongs to the caller's transaction: COMMIT and ROLLBACK free it.
///
/// There is nothing to release, so there is no guard; it stays held when this object goes.
#[must_use = "a lock does nothing until it is acquired"]
pub struct XactLock<R: RawLock> {
    watched: Watched<R>,
}

impl<R: RawLock> XactLock<R> {
    /// A lock on `key` inside the transaction open on `session`. Nothing is sent yet.
    ///
    /// # Errors
    /// [`Error::Key`] when the key cannot name a lock on this server.
    ///
    /// # Examples
    /// ```
    /// # use dlock_db::{Error, RawLock, RawNew, XactLock};
    /// # async fn example<S, R>(session: S) -> Result<(), Error<R::Error>>
    /// # where
    /// #     R: RawLock<Key: From<&'static str>> + RawNew<S>,
    /// # {
    /// # type Key<R> = <R as RawLock>::Key;
    /// let mut lock = XactLock::<R>::new(session, Key::<R>::from("invoice:42"))?;
    /// lock.lock().await?;
    /// // … critical section, until the transaction ends …
    /// # Ok(())
    /// # }
    /// ```
    pub fn new<S, K>(session: S, key: K) -> Result<Self, Error<R::Error>>
    where
        R: RawNew<S>,
        K: TryInto<R::Key, Error: Into<KeyError>>,
    {
        let key = key.try_into().map_err(|error| Error::Key(error.into()))?;
        Ok(Self::from_raw(R::new(session, key)))
    }

    /// A lock over what a driver wrote.
    pub fn from_raw(raw: R) -> Self {
        Self { watched: Watched::new(raw) }
    }

    pub(crate) fn raw_mut(&mut self) -> &mut R {
        assert!(!self.is_locked(), "a lock is configured before it is acquired");
        &mut self.watched.machine.raw
    }

    /// The key as the server sees it.
    ///
    /// # Examples
    /// ```
    /// # use dlock_db::{Error, RawLock, XactLock};
    /// # async fn example<R: RawLock>(mut lock: XactLock<R>) -> Result<(), Error<R::Error>> {
    /// println!("locks {}", lock.key());
    /// # Ok(())
    /// # }
    /// ```
    pub fn key(&self) -> &R::Key {
        self.watched.machine.raw.key()
    }

    /// The mode this lock is, or will be, held in.
    ///
    /// # Examples
    /// ```
    /// # use dlock_db::{Error, RawLock, XactLock};
    /// # async fn example<R: RawLock>(mut lock: XactLock<R>) -> Result<(), Error<R::Error>> {
    /// println!("in {:?} mode", lock.mode());
    /// # Ok(())
    /// # }
    /// ```
    pub fn mode(&self) -> R::Mode {
        self.watched.machine.raw.mode()
    }

    /// Whether it was acquired, and so is held until the transaction ends, or is rolled back to a
    /// savepoint from before. In doubt, and on a session that has ended, it is `false`.
    ///
    /// # Examples
    /// ```
    /// # use dlock_db::{Error, RawLock, XactLock};
    /// # async fn example<R: RawLock>(mut lock: XactLock<R>) -> Result<(), Error<R::Error>> {
    /// lock.lock().await?;
    /// assert!(lock.is_locked());
    /// # Ok(())
    /// # }
    /// ```
    pub fn is_locked(&self) -> bool {
        self.watched.machine.is_locked()
    }

    /// The session the lock lives on: the native connection, by `&mut` where the lock owns it or was lent it so,
    /// by `&` where it is shared. `None` while the lock is in doubt or closed.
    ///
    /// # Examples
    /// ```
    /// # use dlock_db::{Error, RawLock, XactLock};
    /// # async fn example<R: RawLock>(mut lock: XactLock<R>) -> Result<(), Error<R::Error>> {
    /// if let Some(session) = lock.session() {
    ///     // … statements of the transaction …
    /// #   let _ = session;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn session(&mut self) -> Option<SessionRef<'_, R>> {
        self.watched.machine.session()
    }

    /// Acquires, and says whether the lock is held now: `false` when `wait` ran out.
    ///
    /// # Errors
    /// As [`Lock::acquire`](crate::Lock::acquire). None of them ends the caller's transaction.
    ///
    /// # Cancel safety
    /// May be dropped at any await: the wait is cancelled, a grant that came first is undone, and the
    /// transaction stays usable.
    ///
    /// # Examples
    /// ```
    /// # use dlock_db::{Error, RawLock, XactLock};
    /// # async fn example<R: RawLock>(mut lock: XactLock<R>) -> Result<(), Error<R::Error>> {
    /// use std::time::Duration;
    ///
    /// if lock.acquire(Duration::from_secs(2)).await? {
    ///     // … critical section, until the transaction ends …
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn acquire(&mut self, wait: impl Into<Wait>) -> Result<bool, Error<R::Error>> {
        self.watched.acquire(wait.into()).await
    }

    /// Acquires, waiting in the server's queue for as long as it takes.
    ///
    /// # Errors
    /// As [`acquire`](XactLock::acquire).
    ///
    /// # Cancel safety
    /// As [`acquire`](XactLock::acquire).
    ///
    /// # Examples
    /// ```
    /// # use dlock_db::{Error, RawLock, XactLock};
    /// # async fn example<R: RawLock>(mut lock: XactLock<R>) -> Result<(), Error<R::Error>> {
    /// lock.lock().await?;
    /// // … critical section, until the transaction ends …
    /// # Ok(())
    /// # }
    /// ```
    pub async fn lock(&mut self) -> Result<(), Error<R::Error>> {
        self.expect(Wait::Forever).await
    }

    /// Acquires if nobody holds the key: `false` at once if somebody does.
    ///
    /// # Errors
    /// As [`acquire`](XactLock::acquire).
    ///
    /// # Cancel safety
    /// As [`acquire`](XactLock::acquire).
    ///
    /// # Examples
    /// ```
    /// # use dlock_db::{Error, RawLock, XactLock};
    /// # async fn example<R: RawLock>(mut lock: XactLock<R>) -> Result<(), Error<R::Error>> {
    /// if !lock.try_lock().await? {
    ///     println!("somebody else is at it");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "try")]
    pub async fn try_lock(&mut self) -> Result<bool, Error<R::Error>> {
        self.acquire(Wait::No).await
    }

    /// Acquires, waiting in the server's queue for at most `limit`.
    ///
    /// # Errors
    /// [`Error::TimedOut`] at the deadline; the rest as [`acquire`](XactLock::acquire).
    ///
    /// # Cancel safety
    /// As [`acquire`](XactLock::acquire).
    ///
    /// # Examples
    /// ```
    /// # use dlock_db::{Error, RawLock, XactLock};
    /// # async fn example<R: RawLock>(mut lock: XactLock<R>) -> Result<(), Error<R::Error>> {
    /// use std::time::Duration;
    ///
    /// lock.lock_within(Duration::from_secs(2)).await?;
    /// // … critical section, until the transaction ends …
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "timeout")]
    pub async fn lock_within(&mut self, limit: Duration) -> Result<(), Error<R::Error>> {
        self.expect(Wait::from(limit)).await
    }

    async fn expect(&mut self, wait: Wait) -> Result<(), Error<R::Error>> {
        match self.acquire(wait).await? {
            true => Ok(()),
            false => Err(Error::TimedOut),
        }
    }
}

impl<R: RawLock> fmt::Display for XactLock<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} on key {}", self.watched.machine.state(), self.key())
    }
}

impl<R: RawLock> fmt::Debug for XactLock<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("XactLock")
            .field("key", self.key())
            .field("mode", &self.mode())
            .field("state", &format_args!("{}", self.watched.machine.state()))
            .finish_non_exhaustive()
    }
}
