use crate::driver::Driver;
use crate::locks::Shared;
use crate::model::{Need, Patience};
use crate::pending::Pending;
use crate::{
    Alone, AloneDriver, Error, FencedDriver, Held, Locks, Mode, ModeDriver, SharedDriver,
    UpdateDriver,
};
use dlock_core::Wait;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// A request for a key, to be refined before it is made. It may be made again and again.
#[must_use = "nothing is asked for yet"]
pub struct Request<D: Driver> {
    locks: Locks<D>,
    key: D::Key,
    mode: Mode,
    need: Need,
}

impl<D: Driver> Request<D> {
    pub(crate) fn new(locks: Locks<D>, key: D::Key) -> Self {
        Self { locks, key, mode: Mode::Exclusive, need: Need::Nothing }
    }

    /// Waits for as long as it takes.
    ///
    /// # Errors
    /// All but [`Error::TimedOut`].
    ///
    /// # Cancel safety
    /// Dropped, it leaves its place in the queue, and a key that was granted meanwhile is let go.
    ///
    /// # Examples
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let locks = dlock_db::memory::Database::new().locks();
    /// let request = locks.key("invoice:42")?;
    /// let held = request.lock().await?;
    /// // … critical section …
    /// held.release().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn lock(&self) -> Result<Held<D>, Error<D::Error>> {
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
    /// let request = locks.key("invoice:42")?;
    /// if let Some(held) = request.try_lock().await? {
    ///     // … critical section …
    ///     held.release().await?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "try")]
    pub async fn try_lock(&self) -> Result<Option<Held<D>>, Error<D::Error>> {
        match self.acquire(Wait::No).await {
            Ok(held) => Ok(Some(held)),
            Err(Error::TimedOut { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Waits for at most so long.
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
    /// let request = locks.key("invoice:42")?;
    /// let held = request.lock_within(Duration::from_secs(2)).await?;
    /// // … critical section …
    /// held.release().await?;
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "timeout")]
    pub async fn lock_within(&self, limit: Duration) -> Result<Held<D>, Error<D::Error>> {
        self.acquire(limit).await
    }

    /// Waits like this.
    ///
    /// # Errors
    /// [`Error::TimedOut`] when the time is over first, for [`Wait::No`] too; [`Error::Conflict`] where what was
    /// asked for excludes itself.
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
    /// let request = locks.key("invoice:42")?;
    /// let held = request.acquire(Wait::Forever).await?;
    /// // … critical section …
    /// held.release().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn acquire(&self, wait: impl Into<Wait>) -> Result<Held<D>, Error<D::Error>> {
        let patience = self.of().patience(wait.into());
        self.of().meter.acquire(self.ask(patience)).await
    }

    async fn ask(&self, patience: Patience) -> Result<Held<D>, Error<D::Error>> {
        self.permitted()?;
        let (shared, cancel) = (self.of(), CancellationToken::new());
        let pending =
            Pending::new(shared, self.key.clone(), self.mode, patience, self.need, &cancel);
        let part = pending.granted().await?;
        Ok(Held::new(Arc::clone(shared), vec![part], self.mode, cancel))
    }

    /// Whether the server has what is asked for.
    pub(crate) fn permitted(&self) -> Result<(), Error<D::Error>> {
        let is_fenced = self.need == Need::Fence;
        if is_fenced && self.mode != Mode::Exclusive {
            return Err(self.conflict(format!("in {} mode", self.mode)));
        }
        let can = self.locks.shared.driver.can(self.mode, is_fenced);
        let key = || self.key.to_string();
        can.map_err(|error| Error::Driver { key: key(), source: Arc::new(error) })
    }

    /// The same, where the session is lent.
    pub(crate) fn permitted_alone(&self) -> Result<(), Error<D::Error>> {
        match self.need {
            Need::Fence => Err(self.conflict("alone".to_owned())),
            Need::Nothing | Need::Session => self.permitted(),
        }
    }

    fn conflict(&self, other: String) -> Error<D::Error> {
        Error::Conflict { key: self.key.to_string(), other }
    }

    /// A fence, which was asked for before, comes with a session of its own.
    fn with_session(mut self) -> Self {
        if self.need == Need::Nothing {
            self.need = Need::Session;
        }
        self
    }

    pub(crate) fn of(&self) -> &Arc<Shared<D>> {
        &self.locks.shared
    }

    pub(crate) fn key(&self) -> &D::Key {
        &self.key
    }

    pub(crate) fn mode_asked(&self) -> Mode {
        self.mode
    }

    /// Runs a body under the lock, for as long as the lock is held, and releases.
    ///
    /// # Errors
    /// As [`acquire`](Self::acquire), and [`Error::Lost`] when the lock was lost: the body was dropped
    /// then, or others may have held the key while it ran.
    ///
    /// # Cancel safety
    /// Dropped, so is the body, and the lock is released.
    ///
    /// # Examples
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let locks = dlock_db::memory::Database::new().locks();
    /// let request = locks.key("report")?.shared();
    /// let sum = request.with(None, async |_held| 40 + 2).await?;
    /// assert_eq!(sum, 42);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn with<T, F>(&self, wait: impl Into<Wait>, body: F) -> Result<T, Error<D::Error>>
    where
        F: AsyncFnOnce(&Held<D>) -> T,
    {
        let held = self.acquire(wait).await?;
        let value = held.run_until_lost(body(&held)).await?;
        held.release().await?;
        Ok(value)
    }
}

impl<D: SharedDriver> Request<D> {
    /// Asks for the shared mode: many may hold it, and nobody exclusively meanwhile.
    ///
    /// # Examples
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let locks = dlock_db::memory::Database::new().locks();
    /// let held = locks.key("report")?.shared().lock().await?; // beside others who share
    /// # drop(held);
    /// # Ok(())
    /// # }
    /// ```
    pub fn shared(mut self) -> Self {
        self.mode = Mode::Shared;
        self
    }
}

impl<D: UpdateDriver> Request<D> {
    /// Asks for the update mode: one may hold it beside shared ones, and [go on](Held::upgrade) to
    /// exclusive. It has a session to itself.
    ///
    /// # Examples
    /// ```
    /// # use dlock_db::{Locks, UpdateDriver};
    /// # async fn example<D: UpdateDriver>(locks: Locks<D>)
    /// # -> Result<(), Box<dyn std::error::Error>>
    /// # where
    /// #     for<'k> D::Key: From<&'k str>,
    /// # {
    /// let held = locks.key("stock")?.update().lock().await?; // beside those who read
    /// let (held, upgraded) = held.upgrade(None).await?; // and then alone
    /// # drop((held, upgraded));
    /// # Ok(())
    /// # }
    /// ```
    pub fn update(mut self) -> Self {
        self.mode = Mode::Update;
        self.with_session()
    }
}

impl<D: Driver> Request<D> {
    /// Asks for this mode. Where the server [converts](Held::convert) modes it has a session to itself, and may
    /// be converted.
    ///
    /// # Examples
    /// ```
    /// # use dlock_db::{Locks, ModesDriver};
    /// # async fn example<D: ModesDriver>(locks: Locks<D>)
    /// # -> Result<(), Box<dyn std::error::Error>>
    /// # where
    /// #     for<'k> D::Key: From<&'k str>,
    /// # {
    /// # use dlock_db::Mode;
    /// let held = locks.key("stock")?.mode(Mode::SubExclusive).lock().await?;
    /// # drop(held);
    /// # Ok(())
    /// # }
    /// ```
    pub fn mode<M: Into<Mode>>(mut self, mode: M) -> Self
    where
        D: ModeDriver<M>,
    {
        self.mode = mode.into();
        match D::CONVERTS || self.mode == Mode::Update {
            true => self.with_session(),
            false => self,
        }
    }
}

impl<D: AloneDriver> Request<D> {
    /// Asks for a session of the lock's own, which it lends. A [fenced](Self::fenced) lock cannot do that: it
    /// wants the trusted time that a session has none of while it is lent.
    ///
    /// # Examples
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let locks = dlock_db::memory::Database::new().locks();
    /// let mut held = locks.key("report")?.alone().lock().await?;
    /// held.session().echo(42).await?; // work that must end with the lock
    /// held.release().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn alone(self) -> Alone<D> {
        Alone::new(self)
    }
}

impl<D: FencedDriver> Request<D> {
    /// Asks for a [token](Held::token) and a fence behind which transactions may
    /// [begin](Held::begin): exclusively, on a session of the lock's own. It takes two more round trips, and
    /// waits for the fenced transactions of the holder before. With any other mode, said before or after, the
    /// calls are [`Error::Conflict`].
    ///
    /// # Examples
    /// ```
    /// # use dlock_db::{FencedDriver, Locks};
    /// # async fn example<D: FencedDriver>(locks: Locks<D>)
    /// # -> Result<(), Box<dyn std::error::Error>>
    /// # where
    /// #     for<'k> D::Key: From<&'k str>,
    /// # {
    /// let held = locks.key("invoice:42")?.fenced().lock().await?;
    /// println!("term {:?}", held.token());
    /// # Ok(())
    /// # }
    /// ```
    pub fn fenced(mut self) -> Self {
        self.need = Need::Fence;
        self
    }
}

impl<D: Driver> fmt::Debug for Request<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("key", &self.key)
            .field("mode", &self.mode)
            .finish_non_exhaustive()
    }
}
