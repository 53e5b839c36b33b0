mod change;
mod owned;
mod release;

use crate::state::{Machine, State};
use crate::watch::Watched;
use crate::{Error, Guard, KeyError, RawLock, RawNew, SessionRef, Wait};
use std::fmt;
use std::time::Duration;

/// A lock on one key over one database session, held until it is released.
///
/// Driver crates give it a name of their own (`postgres::Lock`), and with it the sessions it takes.
/// Dropping a locked lock releases it in the background, as dropping its guard does.
#[doc(alias = "mutex")]
pub struct Lock<R: RawLock> {
    /// `None` only once the session was taken back.
    watched: Option<Watched<R>>,
}

const PRESENT: &str = "a lock keeps its session until `into_session` consumes it";

impl<R: RawLock> Lock<R> {
    /// A lock on `key` over `session`. Nothing is sent yet.
    ///
    /// An owned session is dropped with a key that is refused: make the key first
    /// (`Key::try_from`) where the session matters more.
    ///
    /// # Errors
    /// [`Error::Key`] when the key cannot name a lock on this server.
    ///
    /// # Examples
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), dlock_db::memory::Error> {
    /// # use dlock_db::memory::Database;
    /// # let session = Database::new().session();
    /// use dlock_db::memory::Lock;
    ///
    /// let mut lock = Lock::new(session, "invoice:42")?;
    /// let guard = lock.lock().await?;
    /// // … critical section …
    /// guard.release().await?;
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
    #[must_use = "a lock does nothing until it is acquired"]
    pub fn from_raw(raw: R) -> Self {
        Self { watched: Some(Watched::new(raw)) }
    }

    /// The same lock over what this makes of the driver's: for drivers that stand in front of others. What was
    /// held stays held.
    #[must_use = "a lock does nothing until it is acquired"]
    pub fn map_raw<Q: RawLock>(mut self, map: impl FnOnce(R) -> Q) -> Lock<Q> {
        let watched = self.watched.take().expect(PRESENT);
        Lock { watched: Some(watched.map(map)) }
    }

    pub(crate) fn machine(&self) -> &Machine<R> {
        &self.watched.as_ref().expect(PRESENT).machine
    }

    fn watched(&mut self) -> &mut Watched<R> {
        self.watched.as_mut().expect(PRESENT)
    }

    pub(crate) fn machine_mut(&mut self) -> &mut Machine<R> {
        &mut self.watched().machine
    }

    /// What a driver wrote, to be changed before the lock is acquired.
    pub(crate) fn raw_mut(&mut self) -> &mut R {
        assert!(!self.is_locked(), "a lock is configured before it is acquired");
        &mut self.machine_mut().raw
    }

    /// The key as the server sees it.
    ///
    /// # Examples
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), dlock_db::memory::Error> {
    /// # use dlock_db::memory::{Database, Lock};
    /// # let session = Database::new().session();
    /// let lock = Lock::new(session, "invoice:42")?;
    /// assert_eq!(lock.key().to_string(), "invoice:42");
    /// # Ok(())
    /// # }
    /// ```
    pub fn key(&self) -> &R::Key {
        self.machine().raw.key()
    }

    /// The mode this lock is, or will be, held in.
    ///
    /// # Examples
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), dlock_db::memory::Error> {
    /// # use dlock_db::memory::{Database, Lock};
    /// # let session = Database::new().session();
    /// # use dlock_db::memory::Mode;
    /// let lock = Lock::new(session, "invoice:42")?.shared();
    /// assert_eq!(lock.mode(), Mode::Shared);
    /// # Ok(())
    /// # }
    /// ```
    pub fn mode(&self) -> R::Mode {
        self.machine().raw.mode()
    }

    /// Whether this lock is held, as far as is known without asking the server. In doubt, and on a
    /// session that has ended, it is `false`.
    ///
    /// # Examples
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), dlock_db::memory::Error> {
    /// # use dlock_db::memory::{Database, Lock};
    /// # let session = Database::new().session();
    /// let mut lock = Lock::new(session, "invoice:42")?;
    /// assert!(lock.acquire(None).await? && lock.is_locked());
    /// lock.release().await?;
    /// assert!(!lock.is_locked());
    /// # Ok(())
    /// # }
    /// ```
    pub fn is_locked(&self) -> bool {
        self.machine().is_locked()
    }

    /// The session the lock lives on: the native connection, by `&mut` where the lock owns it or was lent it so,
    /// by `&` where it is shared. `None` while the lock is in doubt or closed.
    ///
    /// # Examples
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), dlock_db::memory::Error> {
    /// # use dlock_db::memory::{Database, Lock};
    /// # let session = Database::new().session();
    /// let mut lock = Lock::new(session, "invoice:42")?;
    /// if let Some(session) = lock.session() {
    ///     // The native session, for whatever it is good for.
    ///     session.echo(42).await.map_err(dlock_db::memory::Error::Driver)?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn session(&mut self) -> Option<SessionRef<'_, R>> {
        self.machine_mut().session()
    }

    /// Acquires, and says whether the lock is held now: `false` when `wait` ran out.
    ///
    /// # Errors
    /// [`Error::AlreadyLocked`] on a locked lock; [`Error::AlreadyHeld`] when the session holds the
    /// key through another lock; [`Error::Deadlock`]; [`Error::Interrupted`] when the wait was ended
    /// from outside, or the server stayed silent for [`GRACE`](crate::GRACE) past the wait;
    /// [`Error::Closed`] on a session that has ended.
    ///
    /// # Cancel safety
    /// May be dropped at any await: the wait is cancelled, and a grant that came first is released,
    /// in the background. The lock is in doubt until its next call settles it.
    ///
    /// # Examples
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), dlock_db::memory::Error> {
    /// # use dlock_db::memory::{Database, Lock};
    /// # let session = Database::new().session();
    /// use std::time::Duration;
    ///
    /// let mut lock = Lock::new(session, "invoice:42")?;
    /// if lock.acquire(Duration::from_secs(2)).await? {
    ///     // … critical section …
    ///     lock.release().await?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn acquire(&mut self, wait: impl Into<Wait>) -> Result<bool, Error<R::Error>> {
        self.watched().acquire(wait.into()).await
    }

    /// Acquires, waiting in the server's queue for as long as it takes.
    ///
    /// # Errors
    /// As [`acquire`](Lock::acquire).
    ///
    /// # Cancel safety
    /// As [`acquire`](Lock::acquire).
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
    pub async fn lock(&mut self) -> Result<Guard<'_, R>, Error<R::Error>> {
        self.guard(Wait::Forever).await?.ok_or(Error::TimedOut)
    }

    /// Acquires if nobody holds the key: `None` at once if somebody does.
    ///
    /// # Errors
    /// As [`acquire`](Lock::acquire).
    ///
    /// # Cancel safety
    /// As [`acquire`](Lock::acquire).
    ///
    /// # Examples
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), dlock_db::memory::Error> {
    /// # use dlock_db::memory::{Database, Lock};
    /// # let session = Database::new().session();
    /// let mut lock = Lock::new(session, "invoice:42")?;
    /// match lock.try_lock().await? {
    ///     Some(guard) => guard.release().await?, // … after the critical section
    ///     None => println!("somebody else is at it"),
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "try")]
    pub async fn try_lock(&mut self) -> Result<Option<Guard<'_, R>>, Error<R::Error>> {
        self.guard(Wait::No).await
    }

    /// Acquires, waiting in the server's queue for at most `limit`.
    ///
    /// # Errors
    /// [`Error::TimedOut`] at the deadline, with the key certainly not held; the rest as
    /// [`acquire`](Lock::acquire).
    ///
    /// # Cancel safety
    /// As [`acquire`](Lock::acquire).
    ///
    /// # Examples
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), dlock_db::memory::Error> {
    /// # use dlock_db::memory::{Database, Lock};
    /// # let session = Database::new().session();
    /// use dlock_db::Error;
    /// use std::time::Duration;
    ///
    /// let mut lock = Lock::new(session, "invoice:42")?;
    /// match lock.lock_within(Duration::from_secs(2)).await {
    ///     Ok(guard) => guard.release().await?, // … after the critical section
    ///     Err(Error::TimedOut) => println!("two seconds were not enough"),
    ///     Err(error) => return Err(error),
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "timeout")]
    pub async fn lock_within(&mut self, limit: Duration) -> Result<Guard<'_, R>, Error<R::Error>> {
        self.guard(Wait::from(limit)).await?.ok_or(Error::TimedOut)
    }

    async fn guard(&mut self, wait: Wait) -> Result<Option<Guard<'_, R>>, Error<R::Error>> {
        let locked = self.acquire(wait).await?;
        Ok(locked.then(|| Guard::new(self)))
    }
}

impl<R: RawLock> Drop for Lock<R> {
    fn drop(&mut self) {
        if let Some(watched) = &mut self.watched {
            watched.machine.abandon();
        }
    }
}

impl<R: RawLock> fmt::Display for Lock<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} on key {}", self.machine().state(), self.key())
    }
}

impl<R: RawLock> fmt::Debug for Lock<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lock")
            .field("key", self.key())
            .field("mode", &self.mode())
            .field("state", &format_args!("{}", self.machine().state()))
            .finish_non_exhaustive()
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            State::Unlocked => "unlocked",
            State::Locked => "locked",
            State::InFlight | State::InDoubt => "in doubt",
            State::Closed => "closed",
        })
    }
}
