use crate::{AloneDriver, CancellationToken, Error, Lost, LostReason, Mode};
use dlock_core::{OwnedGuard, SessionRef};
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

/// A lock that is held on a session of its own, which it lends. Dropping it ends the session.
#[must_use = "the lock is released when this is dropped"]
pub struct HeldAlone<D: AloneDriver> {
    driver: Arc<D>,
    guard: OwnedGuard<D::Lock>,
    number: D::Number,
    mode: Mode,
    cancel: CancellationToken,
}

impl<D: AloneDriver> HeldAlone<D> {
    pub(super) fn new(
        driver: Arc<D>,
        guard: OwnedGuard<D::Lock>,
        number: D::Number,
        mode: Mode,
    ) -> Self {
        Self { driver, guard, number, mode, cancel: CancellationToken::new() }
    }

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
        self.told()
    }

    /// What is known to be lost is so for the token too.
    fn told(&self) -> Lost {
        self.cancel.cancel();
        Lost::new(self.key().to_string(), LostReason::SessionEnded)
    }

    /// Whether it is lost, as far as the driver knows without asking the server. What was lost once stays so.
    ///
    /// # Examples
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let locks = dlock_db::memory::Database::new().locks();
    /// let held = locks.key("report")?.alone().lock().await?;
    /// assert!(!held.is_lost());
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn is_lost(&self) -> bool {
        self.loss().is_some()
    }

    fn loss(&self) -> Option<Lost> {
        self.guard.is_lost().then(|| self.told())
    }

    /// A token that is cancelled when this learns of its loss: in [`lost`](Self::lost),
    /// [`run_until_lost`](Self::run_until_lost), [`is_lost`](Self::is_lost) or [`must_have`](Self::must_have),
    /// one of which has to be in use, since nobody else looks while the session is lent. It is not cancelled when
    /// the lock is released.
    ///
    /// # Examples
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let locks = dlock_db::memory::Database::new().locks();
    /// # async fn work(_: dlock_db::CancellationToken) {}
    /// let mut held = locks.key("report")?.alone().lock().await?;
    /// let work = tokio::spawn(work(held.cancelled()));
    /// held.run_until_lost(work).await??; // the task, too, is told of the loss
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn cancelled(&self) -> CancellationToken {
        // Whoever cancels it says nothing of the lock.
        self.cancel.child_token()
    }

    /// How long the lock is certainly held from now on: always `None`. Nothing can ping while the session is
    /// lent, so it has no lease, and nobody can say.
    ///
    /// # Examples
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let locks = dlock_db::memory::Database::new().locks();
    /// let held = locks.key("report")?.alone().lock().await?;
    /// assert_eq!(held.trusted_for(), None);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn trusted_for(&self) -> Option<Duration> {
        None
    }

    /// Asks before a side effect: is the lock held still? There is no trusted time that could be too short, as
    /// with a [`Held`](crate::Held) that has no lease.
    ///
    /// # Errors
    /// [`Lost`] where it is [known](Self::is_lost) to be lost: the work must not begin.
    ///
    /// # Examples
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let locks = dlock_db::memory::Database::new().locks();
    /// use std::time::Duration;
    ///
    /// let held = locks.key("report")?.alone().lock().await?;
    /// held.must_have(Duration::from_secs(2))?;
    /// // … the side effect …
    /// # Ok(())
    /// # }
    /// ```
    pub fn must_have(&self, _duration: Duration) -> Result<(), Lost> {
        self.loss().map_or(Ok(()), Err)
    }

    /// Runs a future for as long as the lock is held. It is dropped at its next await when the lock is
    /// [known](Self::lost) to be lost. What it spawned, and what blocks, goes on.
    ///
    /// # Errors
    /// [`Lost`] when the lock was lost first.
    ///
    /// # Cancel safety
    /// As the future's. The lock stays held.
    ///
    /// # Examples
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let locks = dlock_db::memory::Database::new().locks();
    /// # async fn write_report() -> u32 { 42 }
    /// let mut held = locks.key("report")?.alone().lock().await?;
    /// let report = held.run_until_lost(write_report()).await?;
    /// # assert_eq!(report, 42);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn run_until_lost<F: Future>(&mut self, future: F) -> Result<F::Output, Lost> {
        if let Some(lost) = self.loss() {
            return Err(lost);
        }
        let (mut lost, mut future) = (pin!(self.lost()), pin!(future));
        poll_fn(|context| match lost.as_mut().poll(context) {
            Poll::Ready(lost) => Poll::Ready(Err(lost)),
            Poll::Pending => future.as_mut().poll(context).map(Ok),
        })
        .await
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
        released.map(drop).map_err(|failure| {
            if let dlock_core::Error::Lost(_) = failure.error {
                self.cancel.cancel();
            }
            Error::alone(key, failure.error)
        })
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

impl<D: AloneDriver> fmt::Debug for HeldAlone<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HeldAlone")
            .field("key", self.key())
            .field("mode", &self.mode)
            .finish_non_exhaustive()
    }
}
