//! Locks that have a session to themselves, and lend it.

use crate::{AloneDriver, Error, Locks, Lost, LostReason, Mode};
use dlock_core::{Deadline, GRACE, Lock, OwnedGuard, RawLock, SessionRef, Wait, within};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// How long a session may take to open.
const OPENING: Duration = Duration::from_secs(10);

/// The error of a driver's own lock.
type Native<D> = dlock_core::Error<<<D as AloneDriver>::Lock as RawLock>::Error>;

/// A request for a key on a session of the lock's own, which is opened in the caller's runtime and lent: for
/// work that must end with the lock. Each call opens a session of its own.
///
/// Nothing can ping while a session is lent, so it has no lease and no trusted time: the lock is lost when
/// the connection ends. [`Locks::close`] leaves it alone.
#[must_use = "nothing is asked for yet"]
pub struct Alone<D: AloneDriver> {
    locks: Locks<D>,
    key: D::Key,
    mode: Mode,
}

impl<D: AloneDriver> Alone<D> {
    pub(crate) fn new(locks: Locks<D>, key: D::Key, mode: Mode) -> Self {
        Self { locks, key, mode }
    }

    /// Waits for as long as it takes.
    ///
    /// # Errors
    /// All but [`Error::TimedOut`].
    ///
    /// # Cancel safety
    /// Dropped, the session ends, and with it what it held or waited for.
    ///
    /// # Examples
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let locks = dlock_db::memory::Database::new().locks();
    /// let request = locks.key("invoice:42")?.alone();
    /// let held = request.lock().await?;
    /// // … critical section …
    /// held.release().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn lock(&self) -> Result<HeldAlone<D>, Error<D::Error>> {
        self.acquire(Wait::Forever).await
    }

    /// Takes the key if it is free. `None`: it is not.
    ///
    /// # Errors
    /// All but [`Error::TimedOut`].
    ///
    /// # Cancel safety
    /// As [`lock`](Self::lock).
    ///
    /// # Examples
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let locks = dlock_db::memory::Database::new().locks();
    /// let request = locks.key("invoice:42")?.alone();
    /// if let Some(held) = request.try_lock().await? {
    ///     // … critical section …
    ///     held.release().await?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn try_lock(&self) -> Result<Option<HeldAlone<D>>, Error<D::Error>> {
        match self.acquire(Wait::No).await {
            Ok(held) => Ok(Some(held)),
            Err(Error::TimedOut { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Waits for at most so long, the opening of the session included.
    ///
    /// # Errors
    /// [`Error::TimedOut`] when the time is over first.
    ///
    /// # Cancel safety
    /// As [`lock`](Self::lock).
    ///
    /// # Examples
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let locks = dlock_db::memory::Database::new().locks();
    /// use std::time::Duration;
    ///
    /// let request = locks.key("invoice:42")?.alone();
    /// let held = request.lock_within(Duration::from_secs(2)).await?;
    /// // … critical section …
    /// held.release().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn lock_within(&self, limit: Duration) -> Result<HeldAlone<D>, Error<D::Error>> {
        self.acquire(limit).await
    }

    /// Waits like this.
    ///
    /// # Errors
    /// [`Error::TimedOut`] when the time is over first, for [`Wait::No`] too; [`Error::NoSession`];
    /// [`Error::Alone`], with what the driver's own lock said.
    ///
    /// # Cancel safety
    /// As [`lock`](Self::lock).
    ///
    /// # Examples
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let locks = dlock_db::memory::Database::new().locks();
    /// use dlock_db::Wait;
    ///
    /// let request = locks.key("invoice:42")?.alone();
    /// let held = request.acquire(Wait::Forever).await?;
    /// // … critical section …
    /// held.release().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn acquire(&self, wait: impl Into<Wait>) -> Result<HeldAlone<D>, Error<D::Error>> {
        self.locks.shared.meter.acquire(self.ask(wait.into())).await
    }

    async fn ask(&self, wait: Wait) -> Result<HeldAlone<D>, Error<D::Error>> {
        let (lock, number, wait) = self.open(wait).await?;
        let owned = match wait {
            Wait::No => lock.try_lock_owned().await,
            Wait::For(limit) => lock.lock_owned_within(limit).await,
            Wait::Forever => lock.lock_owned().await,
        };
        let guard = owned.map_err(|failure| self.error(failure.error))?;
        let driver = Arc::clone(&self.locks.shared.driver);
        Ok(HeldAlone { driver, guard, number, mode: self.mode })
    }

    /// Runs a body with the session under the lock, and releases.
    ///
    /// # Errors
    /// As [`acquire`](Self::acquire), and [`Error::Lost`] when the session turns out to hold the key no
    /// more: others may have held it while the body ran.
    ///
    /// # Cancel safety
    /// Dropped, so is the body, and the session ends.
    ///
    /// # Examples
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let locks = dlock_db::memory::Database::new().locks();
    /// let request = locks.key("report")?.alone();
    /// let answer = request.with(None, async |session| session.echo(42).await).await?;
    /// # assert_eq!(answer?, 42);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn with<T, F>(&self, wait: impl Into<Wait>, body: F) -> Result<T, Error<D::Error>>
    where
        F: for<'s> AsyncFnOnce(SessionRef<'s, D::Lock>) -> T,
    {
        let (mut lock, _, wait) = self.open(wait.into()).await?;
        lock.with(wait, body).await.map_err(|failure| self.error(failure.error))
    }

    /// Opens a session, and says for how long the lock may be waited for then.
    async fn open(&self, wait: Wait) -> Result<(Lock<D::Lock>, D::Number, Wait), Error<D::Error>> {
        let shared = &self.locks.shared;
        if shared.is_closed() {
            return Err(Error::Closed);
        }
        let cannot = |error| Error::Driver { key: self.key.to_string(), source: Arc::new(error) };
        shared.driver.can(self.mode, false).map_err(cannot)?;
        let (deadline, limit) = (Deadline::new(wait), wait.limit().unwrap_or(OPENING));
        // Large, and rare: a future that waits for it stays small.
        let opening = Box::pin(shared.driver.alone(shared.name(), self.key.clone(), self.mode));
        let opened = within(OPENING.min(limit.saturating_add(GRACE)), opening).await;
        let no_session = |source| Error::NoSession { key: self.key.to_string(), source };
        let opened = opened.ok_or_else(|| no_session(None))?;
        let (lock, number) = opened.map_err(|error| no_session(Some(Arc::new(error))))?;
        let (wait, _) = deadline.slice_or_forever(Duration::MAX);
        Ok((lock, number, wait))
    }

    fn error(&self, error: Native<D>) -> Error<D::Error> {
        Error::alone(self.key.to_string(), error)
    }
}

/// A lock that is held on a session of its own, which it lends. Dropping it ends the session.
#[must_use = "the lock is released when this is dropped"]
pub struct HeldAlone<D: AloneDriver> {
    driver: Arc<D>,
    guard: OwnedGuard<D::Lock>,
    number: D::Number,
    mode: Mode,
}

impl<D: AloneDriver> HeldAlone<D> {
    /// The session the lock lives on: what it protects is best done here, and ends with it.
    ///
    /// # Examples
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let locks = dlock_db::memory::Database::new().locks();
    /// let mut held = locks.key("report")?.alone().lock().await?;
    /// held.session().echo(42).await?;
    /// # held.release().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn session(&mut self) -> SessionRef<'_, D::Lock> {
        self.guard.session()
    }

    /// The key as the server sees it.
    ///
    /// # Examples
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let locks = dlock_db::memory::Database::new().locks();
    /// let held = locks.key("report")?.alone().lock().await?;
    /// assert_eq!(held.key().to_string(), "report");
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn key(&self) -> &D::Key {
        self.guard.key()
    }

    /// How it is held.
    ///
    /// # Examples
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let locks = dlock_db::memory::Database::new().locks();
    /// let held = locks.key("report")?.alone().lock().await?;
    /// assert_eq!(held.mode(), dlock_db::Mode::Exclusive);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// Completes when the session has ended, as soon as the driver can know that without asking the server;
    /// where it cannot, never.
    ///
    /// # Cancel safety
    /// May be dropped and called again.
    ///
    /// # Examples
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let locks = dlock_db::memory::Database::new().locks();
    /// let mut held = locks.key("report")?.alone().lock().await?;
    /// # let work = async {};
    /// tokio::select! {
    ///     () = work => held.release().await?,
    ///     lost = held.lost() => return Err(lost.into()),
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn lost(&mut self) -> Lost {
        self.guard.lost().await;
        Lost::new(self.key().to_string(), LostReason::SessionEnded)
    }

    /// Releases, and ends the session.
    ///
    /// # Errors
    /// [`Error::Lost`] when the session turns out to hold the key no more; [`Error::Alone`], with what the
    /// driver's own lock said. The session ends in either case.
    ///
    /// # Cancel safety
    /// Dropped, the session ends.
    ///
    /// # Examples
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let locks = dlock_db::memory::Database::new().locks();
    /// let held = locks.key("report")?.alone().lock().await?;
    /// // … critical section …
    /// held.release().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn release(self) -> Result<(), Error<D::Error>> {
        let key = self.key().to_string();
        let released = self.guard.release().await;
        released.map(drop).map_err(|failure| Error::alone(key, failure.error))
    }

    /// Ends the session and whatever runs on it, and returns when the server has let go: for work whose time
    /// is over.
    ///
    /// # Errors
    /// [`Error::Alone`] where that could not be had. The session is dropped then: the server lets go when what
    /// runs on it is over.
    ///
    /// # Cancel safety
    /// Dropped, the session ends, on some servers when what runs on it is over.
    ///
    /// # Examples
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let locks = dlock_db::memory::Database::new().locks();
    /// let held = locks.key("report")?.alone().lock().await?;
    /// held.abort().await?; // whatever runs on its session ends with it
    /// # Ok(())
    /// # }
    /// ```
    pub async fn abort(self) -> Result<(), Error<D::Error>> {
        let key = self.key().to_string();
        let aborted = self.driver.abort(self.guard, self.number).await;
        aborted.map_err(|error| Error::alone(key, error))
    }
}

impl<D: AloneDriver> fmt::Debug for Alone<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Alone")
            .field("key", &self.key)
            .field("mode", &self.mode)
            .finish_non_exhaustive()
    }
}

impl<D: AloneDriver> fmt::Debug for HeldAlone<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HeldAlone")
            .field("key", self.key())
            .field("mode", &self.mode)
            .finish_non_exhaustive()
    }
}
