use crate::state::{Machine, Scope, State};
use crate::watch::Watched;
use crate::{
    Error, Guard, KeyError, NotAcquired, OwnedGuard, RawAbort, RawConvert, RawIntoSession, RawLock,
    RawNew, RawUnlock, RawUpgrade, SessionRef, Wait, WithError,
};
use std::fmt;
use std::time::Duration;

/// A lock on one key over one database session, held until it is released.
///
/// Driver crates give it a name of their own (`postgres::Lock`), and with it the sessions it takes.
/// Dropping a locked lock releases it in the background, as dropping its guard does.
#[must_use = "a lock does nothing until it is acquired"]
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
        Self { watched: Some(Watched::new(raw)) }
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
    pub fn key(&self) -> &R::Key {
        self.machine().raw.key()
    }

    /// The mode this lock is, or will be, held in.
    pub fn mode(&self) -> R::Mode {
        self.machine().raw.mode()
    }

    /// Whether this lock is held, as far as is known without asking the server. In doubt, and on a
    /// session that has ended, it is `false`.
    pub fn is_locked(&self) -> bool {
        self.machine().is_locked()
    }

    /// The session the lock lives on; `None` while the lock is in doubt or closed.
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
    pub async fn lock_within(&mut self, limit: Duration) -> Result<Guard<'_, R>, Error<R::Error>> {
        self.guard(Wait::from(limit)).await?.ok_or(Error::TimedOut)
    }

    async fn guard(&mut self, wait: Wait) -> Result<Option<Guard<'_, R>>, Error<R::Error>> {
        let locked = self.acquire(wait).await?;
        Ok(locked.then(|| Guard::new(self)))
    }
}

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

    /// Acquires, waiting for as long as it takes, and moves the lock into the guard.
    ///
    /// # Errors
    /// As [`acquire`](Lock::acquire), with the lock in the error.
    ///
    /// # Cancel safety
    /// As [`acquire`](Lock::acquire); an owned session goes with the lock that was moved in.
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
    pub async fn into_session(mut self) -> Result<R::Owned, Error<R::Error>>
    where
        R: RawIntoSession,
    {
        self.close().await?;
        let watched = self.watched.take().expect(PRESENT);
        watched.machine.raw.into_session().ok_or(Error::Closed)
    }
}

impl<R: RawAbort> Lock<R> {
    /// Ends the session. The machine is in doubt meanwhile, and so is who drops this.
    pub(crate) async fn abort(&mut self) -> Result<(), Error<R::Error>> {
        self.watched().abort().await
    }
}

impl<R: RawUnlock + RawUpgrade> Lock<R> {
    /// Takes a held update lock to exclusive. `false`: `wait` ran out, still held in the old mode.
    ///
    /// # Errors
    /// [`Error::WrongMode`] on a lock that was not built with `.update()`; [`Error::NotLocked`];
    /// [`Error::Deadlock`]; all with the old mode still held, as [`is_locked`](Lock::is_locked) says.
    ///
    /// # Cancel safety
    /// May be dropped at any await: both modes are then released in the background.
    pub async fn upgrade(&mut self, wait: impl Into<Wait>) -> Result<bool, Error<R::Error>> {
        self.watched().upgrade(wait.into()).await
    }
}

impl<R: RawUnlock + RawConvert> Lock<R> {
    /// Takes a held lock to another mode. `false`: `wait` ran out, still held in the old mode.
    ///
    /// # Errors
    /// [`Error::NotLocked`]; [`Error::Deadlock`] with the old mode still held.
    ///
    /// # Cancel safety
    /// May be dropped at any await: the lock is then released in the background.
    pub async fn convert(
        &mut self,
        mode: R::Mode,
        wait: impl Into<Wait>,
    ) -> Result<bool, Error<R::Error>> {
        self.watched().convert(mode, wait.into()).await
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
