use crate::driver::Driver;
use crate::hold::Hold;
use crate::input::Input;
use crate::locks::Shared;
use crate::model::RequestId;
use crate::{Error, Lost, Mode};
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

/// A lock that is held, until it is released, dropped or lost.
///
/// Dropping it releases in the background. It may be sent to other tasks and threads, and dropped on any.
#[must_use = "the lock is released when this is dropped"]
pub struct Held<D: Driver> {
    shared: Arc<Shared<D>>,
    request: RequestId,
    key: D::Key,
    mode: Mode,
    hold: Arc<Hold>,
    is_out: bool,
}

impl<D: Driver> Held<D> {
    pub(crate) fn new(
        shared: Arc<Shared<D>>,
        request: RequestId,
        key: D::Key,
        mode: Mode,
        hold: Arc<Hold>,
    ) -> Self {
        Self { shared, request, key, mode, hold, is_out: true }
    }

    /// The key as the server sees it.
    #[must_use]
    pub fn key(&self) -> &D::Key {
        &self.key
    }

    /// How it is held.
    #[must_use]
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// Whether it is lost. What was lost once stays so.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        self.hold.lost().is_some()
    }

    /// Completes when it is lost, and says why.
    ///
    /// # Cancel safety
    /// May be dropped and called again.
    pub async fn lost(&self) -> Lost {
        loop {
            if let Some(lost) = self.loss() {
                return lost;
            }
            self.hold.token().cancelled().await;
        }
    }

    /// A token that is cancelled when the lock is lost. It is not when the lock is released.
    #[must_use]
    pub fn cancelled(&self) -> CancellationToken {
        self.hold.token().clone()
    }

    /// How long the lock is certainly held from now on, by what was last heard of the server. `None`: its
    /// session has no lease, so that nobody can say.
    #[must_use]
    pub fn trusted_for(&self) -> Option<Duration> {
        self.hold.trusted_for()
    }

    /// Asks before a side effect: is the lock trusted for at least so long?
    ///
    /// # Errors
    /// [`Lost`] where it is lost, or not trusted for so long: the work must not begin.
    pub fn must_have(&self, duration: Duration) -> Result<(), Lost> {
        if let Some(lost) = self.loss() {
            return Err(lost);
        }
        match self.trusted_for() {
            Some(left) if left < duration => {
                Err(Lost::new(self.key.to_string(), crate::LostReason::Silent))
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
    pub async fn release(mut self) -> Result<(), Error<D::Error>> {
        self.is_out = false;
        let was_lost = self.hold.lost();
        let (sender, answer) = oneshot::channel();
        self.shared.tell(Input::Release(self.request, sender));
        let released = answer.await.unwrap_or(Err(crate::LostReason::Closed));
        match was_lost.map_or(released, Err) {
            Ok(()) => Ok(()),
            Err(reason) => Err(Error::lost(&self.key, reason)),
        }
    }

    fn loss(&self) -> Option<Lost> {
        self.hold.lost().map(|reason| Lost::new(self.key.to_string(), reason))
    }
}

impl<D: Driver> Drop for Held<D> {
    fn drop(&mut self) {
        if self.is_out {
            self.shared.tell(Input::Drop(self.request));
        }
    }
}

impl<D: Driver> fmt::Debug for Held<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Held")
            .field("key", &self.key)
            .field("mode", &self.mode)
            .field("lost", &self.hold.lost())
            .finish_non_exhaustive()
    }
}
