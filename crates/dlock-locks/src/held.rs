use crate::driver::Driver;
use crate::hold::Hold;
use crate::input::{Converting, Input};
use crate::locks::Shared;
use crate::model::RequestId;
use crate::{Error, Lost, LostReason, Mode};
use dlock_core::Wait;
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

/// One key of a [`Held`].
pub(crate) struct Part<D: Driver> {
    pub(crate) request: RequestId,
    pub(crate) key: D::Key,
    pub(crate) hold: Arc<Hold>,
}

impl<D: Driver> Part<D> {
    fn loss(&self) -> Option<Lost> {
        self.hold.lost().map(|reason| Lost::new(self.key.to_string(), reason))
    }
}

/// A lock that is held, until it is released, dropped or lost: of one key, or of
/// [several](crate::Locks::lock_all).
///
/// Dropping it releases in the background. It may be sent to other tasks and threads, and dropped on any.
#[must_use = "the lock is released when this is dropped"]
pub struct Held<D: Driver> {
    shared: Arc<Shared<D>>,
    /// At least one.
    parts: Vec<Part<D>>,
    mode: Mode,
    cancel: CancellationToken,
}

impl<D: Driver> Held<D> {
    pub(crate) fn new(
        shared: Arc<Shared<D>>,
        parts: Vec<Part<D>>,
        mode: Mode,
        cancel: CancellationToken,
    ) -> Self {
        Self { shared, parts, mode, cancel }
    }

    /// What is known of its first key.
    pub(crate) fn hold(&self) -> Arc<Hold> {
        Arc::clone(&self.parts[0].hold)
    }

    /// Holds this one too.
    pub(crate) fn add(&mut self, part: Part<D>) {
        self.parts.push(part);
    }

    /// Holds the last of its parts no longer.
    pub(crate) fn take(&mut self) -> Option<Part<D>> {
        self.parts.pop()
    }

    /// Lets a key go that is not to be part of it. Its loss, where that came first, is a loss of this.
    pub(crate) fn shed(&mut self, part: Part<D>) {
        match part.hold.shed() {
            true => self.shared.tell(Input::Drop(part.request)),
            false => self.add(part),
        }
    }

    /// The key as the server sees it; the first of several.
    ///
    /// # Examples
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let locks = dlock_db::memory::Database::new().locks();
    /// let held = locks.lock("invoice:42").await?;
    /// assert_eq!(held.key().to_string(), "invoice:42");
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn key(&self) -> &D::Key {
        &self.parts[0].key
    }

    /// All its keys, in the order in which they were taken.
    ///
    /// # Examples
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let locks = dlock_db::memory::Database::new().locks();
    /// let held = locks.lock_all(["b", "a"], None).await?;
    /// let keys: Vec<String> = held.keys().map(ToString::to_string).collect();
    /// assert_eq!(keys.len(), 2);
    /// # Ok(())
    /// # }
    /// ```
    pub fn keys(&self) -> impl Iterator<Item = &D::Key> {
        self.parts.iter().map(|part| &part.key)
    }

    /// How it is held.
    ///
    /// # Examples
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let locks = dlock_db::memory::Database::new().locks();
    /// let held = locks.lock("invoice:42").await?;
    /// assert_eq!(held.mode(), dlock_db::Mode::Exclusive);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// The number of its fence: higher than that of any holder of the key before. `None` where
    /// [`fenced`](crate::Request::fenced) was not asked for.
    ///
    /// # Examples
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let locks = dlock_db::memory::Database::new().locks();
    /// let held = locks.lock("invoice:42").await?;
    /// assert_eq!(held.token(), None); // it was not asked for fenced
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn token(&self) -> Option<u64> {
        self.parts[0].hold.token()
    }

    /// Whether it is lost, or one of its keys is. What was lost once stays so.
    ///
    /// # Examples
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let locks = dlock_db::memory::Database::new().locks();
    /// let held = locks.lock("invoice:42").await?;
    /// assert!(!held.is_lost());
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn is_lost(&self) -> bool {
        self.loss().is_some()
    }

    /// Completes when it is lost, and says why.
    ///
    /// # Cancel safety
    /// May be dropped and called again.
    ///
    /// # Examples
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let locks = dlock_db::memory::Database::new().locks();
    /// let held = locks.lock("invoice:42").await?;
    /// # let work = async {};
    /// tokio::select! {
    ///     () = work => held.release().await?,
    ///     lost = held.lost() => return Err(lost.into()),
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn lost(&self) -> Lost {
        loop {
            if let Some(lost) = self.loss() {
                return lost;
            }
            self.cancel.cancelled().await;
        }
    }

    /// A token that is cancelled when the lock is lost. It is not when the lock is released.
    ///
    /// # Examples
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let locks = dlock_db::memory::Database::new().locks();
    /// let held = locks.lock("invoice:42").await?;
    /// let token = held.cancelled();
    /// tokio::spawn(async move {
    ///     while !token.is_cancelled() {
    ///         // … one step of the work …
    /// #       tokio::task::yield_now().await;
    ///     }
    /// });
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn cancelled(&self) -> CancellationToken {
        // Whoever cancels it says nothing of the lock.
        self.cancel.child_token()
    }

    /// How long the lock is certainly held from now on, by what was last heard of the server. `None`: its
    /// session has no lease, so that nobody can say.
    ///
    /// # Examples
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let locks = dlock_db::memory::Database::new().locks();
    /// let held = locks.lock("invoice:42").await?;
    /// if let Some(left) = held.trusted_for() {
    ///     println!("held for {left:?} at least, whatever happens");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn trusted_for(&self) -> Option<Duration> {
        self.parts.iter().filter_map(|part| part.hold.trusted_for()).min()
    }

    /// Asks before a side effect: is the lock trusted for at least so long?
    ///
    /// # Errors
    /// [`Lost`] where it is lost, or not trusted for so long: the work must not begin.
    ///
    /// # Examples
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let locks = dlock_db::memory::Database::new().locks();
    /// use std::time::Duration;
    ///
    /// let held = locks.lock("invoice:42").await?;
    /// held.must_have(Duration::from_secs(2))?; // long enough for what comes now
    /// // … the side effect …
    /// # Ok(())
    /// # }
    /// ```
    pub fn must_have(&self, duration: Duration) -> Result<(), Lost> {
        if let Some(lost) = self.loss() {
            return Err(lost);
        }
        match self.trusted_for() {
            Some(left) if left < duration => {
                Err(Lost::new(self.key().to_string(), LostReason::Silent))
            }
            _ => Ok(()),
        }
    }

    /// Runs a future for as long as the lock is held. It is dropped at its next await when the lock is
    /// lost: the clock is looked at before each poll. What it spawned, and what blocks, goes on.
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
    /// let held = locks.lock("invoice:42").await?;
    /// let report = held.run_until_lost(write_report()).await?;
    /// # assert_eq!(report, 42);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn run_until_lost<F: Future>(&self, future: F) -> Result<F::Output, Lost> {
        let mut future = pin!(future);
        let mut lost = pin!(self.lost());
        poll_fn(|context| {
            if let Poll::Ready(lost) = lost.as_mut().poll(context) {
                return Poll::Ready(Err(lost));
            }
            match self.loss() {
                Some(lost) => Poll::Ready(Err(lost)),
                None => future.as_mut().poll(context).map(Ok),
            }
        })
        .await
    }

    /// Releases, and waits until the server has let go or the next in this process has the lock.
    ///
    /// # Errors
    /// [`Error::Lost`] when it had been lost: others may have held the key meanwhile.
    ///
    /// # Cancel safety
    /// Dropped, the release goes on.
    ///
    /// # Examples
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let locks = dlock_db::memory::Database::new().locks();
    /// let held = locks.lock("invoice:42").await?;
    /// // … critical section …
    /// held.release().await?;
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "unlock")]
    pub async fn release(mut self) -> Result<(), Error<D::Error>> {
        let was_lost = self.loss();
        let parts = std::mem::take(&mut self.parts);
        let answers = Vec::from_iter(parts.into_iter().map(|part| self.let_go(part)));
        let mut released = was_lost.map_or(Ok(()), Err);
        for (part, answer) in answers {
            let answer = answer.await.unwrap_or(Err(LostReason::Closed));
            // What the hold was told says more.
            let lost = |reason| part.loss().unwrap_or(Lost::new(part.key.to_string(), reason));
            released = released.and(answer.map_err(lost));
        }
        released.map_err(Error::Lost)
    }

    fn let_go(&self, part: Part<D>) -> (Part<D>, oneshot::Receiver<Result<(), LostReason>>) {
        let (sender, answer) = oneshot::channel();
        self.shared.tell(Input::Release(part.request, sender));
        (part, answer)
    }

    /// Takes it to another mode, and gives it back with whether it is now.
    pub(crate) async fn change(
        mut self,
        to: Mode,
        wait: Wait,
    ) -> Result<(Self, bool), Error<D::Error>> {
        let (answer, changed) = oneshot::channel();
        let (request, patience) = (self.parts[0].request, self.shared.patience(wait));
        self.shared.tell(Input::Convert(Converting { request, to, patience, answer }));
        let changed = changed.await;
        if let Some(lost) = self.loss() {
            return Err(lost.into());
        }
        let changed = changed.map_err(|_| Error::Closed)?;
        let changed = changed.map_err(|refused| Error::refused::<D>(self.key(), refused))?;
        if changed {
            self.mode = to;
        }
        Ok((self, changed))
    }

    fn loss(&self) -> Option<Lost> {
        self.parts.iter().find_map(Part::loss)
    }
}

impl<D: Driver> Drop for Held<D> {
    fn drop(&mut self) {
        for part in self.parts.drain(..) {
            self.shared.tell(Input::Drop(part.request));
        }
    }
}

impl<D: Driver> fmt::Debug for Held<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Held")
            .field("keys", &Vec::from_iter(self.keys()))
            .field("mode", &self.mode)
            .field("lost", &self.loss())
            .finish_non_exhaustive()
    }
}
