//! Locks that have a session to themselves, and lend it.

mod held;

pub use held::HeldAlone;

use crate::{AloneDriver, Error, Mode, ModeDriver, Request, SharedDriver, UpdateDriver};
use dlock_core::{Deadline, GRACE, Lock, RawLock, SessionRef, Wait, within};
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
/// the connection ends. [`Locks::close`](crate::Locks::close) leaves it alone.
#[must_use = "nothing is asked for yet"]
pub struct Alone<D: AloneDriver> {
    request: Request<D>,
}

impl<D: AloneDriver> Alone<D> {
    pub(crate) fn new(request: Request<D>) -> Self {
        Self { request }
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
        self.request.of().meter.acquire(self.ask(wait.into())).await
    }

    async fn ask(&self, wait: Wait) -> Result<HeldAlone<D>, Error<D::Error>> {
        let (lock, number, wait) = self.open(wait).await?;
        let owned = match wait {
            Wait::No => lock.try_lock_owned().await,
            Wait::For(limit) => lock.lock_owned_within(limit).await,
            Wait::Forever => lock.lock_owned().await,
        };
        let guard = owned.map_err(|failure| self.error(failure.error))?;
        let driver = Arc::clone(&self.request.of().driver);
        Ok(HeldAlone::new(driver, guard, number, self.request.mode_asked()))
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
        let (shared, key) = (self.request.of(), self.request.key());
        if shared.is_closed() {
            return Err(Error::Closed);
        }
        self.request.permitted_alone()?;
        let (deadline, limit) = (Deadline::new(wait), wait.limit().unwrap_or(OPENING));
        // Large, and rare: a future that waits for it stays small.
        let mode = self.request.mode_asked();
        let opening = Box::pin(shared.driver.alone(shared.name(), key.clone(), mode));
        let opened = within(OPENING.min(limit.saturating_add(GRACE)), opening).await;
        let no_session = |source| Error::NoSession { key: key.to_string(), source };
        let opened = opened.ok_or_else(|| no_session(None))?;
        let (lock, number) = opened.map_err(|error| no_session(Some(Arc::new(error))))?;
        let (wait, _) = deadline.slice_or_forever(Duration::MAX);
        Ok((lock, number, wait))
    }

    fn error(&self, error: Native<D>) -> Error<D::Error> {
        Error::alone(self.request.key().to_string(), error)
    }
}

impl<D: AloneDriver + SharedDriver> Alone<D> {
    /// Asks for the shared mode, as [`Request::shared`] does.
    ///
    /// # Examples
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let locks = dlock_db::memory::Database::new().locks();
    /// let held = locks.key("report")?.alone().shared().lock().await?; // beside others who share
    /// # held.release().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn shared(self) -> Self {
        Self::new(self.request.shared())
    }
}

impl<D: AloneDriver + UpdateDriver> Alone<D> {
    /// Asks for the update mode, as [`Request::update`] does.
    ///
    /// # Examples
    /// ```
    /// # use dlock_db::{Alone, AloneDriver, LocksError, UpdateDriver};
    /// # async fn example<D: AloneDriver + UpdateDriver>(request: Alone<D>)
    /// # -> Result<(), LocksError<D::Error>> {
    /// let held = request.update().lock().await?; // beside those who read
    /// # held.release().await
    /// # }
    /// ```
    pub fn update(self) -> Self {
        Self::new(self.request.update())
    }
}

impl<D: AloneDriver> Alone<D> {
    /// Asks for this mode, as [`Request::mode`] does.
    ///
    /// # Examples
    /// ```
    /// # use dlock_db::{Alone, AloneDriver, LocksError, Mode, ModesDriver};
    /// # async fn example<D: AloneDriver + ModesDriver>(request: Alone<D>)
    /// # -> Result<(), LocksError<D::Error>> {
    /// let held = request.mode(Mode::SubExclusive).lock().await?;
    /// # held.release().await
    /// # }
    /// ```
    pub fn mode<M: Into<Mode>>(self, mode: M) -> Self
    where
        D: ModeDriver<M>,
    {
        Self::new(self.request.mode(mode))
    }
}

impl<D: AloneDriver> fmt::Debug for Alone<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Alone")
            .field("key", self.request.key())
            .field("mode", &self.request.mode_asked())
            .finish_non_exhaustive()
    }
}
