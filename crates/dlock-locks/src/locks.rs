use crate::blame::Blame;
use crate::clock::Clock;
use crate::driver::Driver;
use crate::engine::meter::Meter;
use crate::input::Input;
use crate::lead::Seats;
use crate::model::{Patience, RequestId, Settings, Stats};
use crate::semaphore::Semaphores;
use crate::sync::atomic::{AtomicU64, Ordering};
use crate::{Error, Held, LocksBuilder, Request};
use dlock_core::{KeyError, Wait};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

/// What the handles of one engine share.
pub(crate) struct Shared<D: Driver> {
    pub(crate) driver: Arc<D>,
    inputs: UnboundedSender<Input<D>>,
    requests: AtomicU64,
    /// What sessions are called in the server's lists.
    name: String,
    pub(crate) settings: Settings,
    pub(crate) semaphores: Semaphores<D>,
    pub(crate) seats: Seats<D::Key>,
    /// Cancelled when it is closed.
    pub(crate) closed: CancellationToken,
    pub(crate) clock: Clock,
    pub(crate) meter: Arc<Meter>,
    /// Who is asked for the holder of a key whose wait ran out.
    pub(crate) blame: Option<Blame<D>>,
}

impl<D: Driver> Shared<D> {
    pub(crate) fn new(
        driver: Arc<D>,
        name: String,
        settings: Settings,
        inputs: UnboundedSender<Input<D>>,
        clock: Clock,
        meter: Arc<Meter>,
    ) -> Self {
        Self {
            driver,
            inputs,
            requests: AtomicU64::new(0),
            name,
            settings,
            semaphores: Semaphores::<D>::default(),
            seats: Seats::default(),
            closed: CancellationToken::new(),
            clock,
            meter,
            blame: None,
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed.is_cancelled()
    }

    /// An engine that is gone has let go of everything; who waits for its answer sees that.
    pub(crate) fn tell(&self, input: Input<D>) {
        let _ = self.inputs.send(input);
    }

    pub(crate) fn request(&self) -> RequestId {
        RequestId(self.requests.fetch_add(1, Ordering::Relaxed))
    }

    /// Until when a wait goes on that begins now.
    pub(crate) fn patience(&self, wait: Wait) -> Patience {
        match wait.normal() {
            Wait::No => Patience::No,
            Wait::Forever => Patience::Forever,
            Wait::For(limit) => {
                self.clock.now().checked_add(limit).map_or(Patience::Forever, Patience::Until)
            }
        }
    }
}

/// A factory of locks that owns its sessions. It is cheap to clone, and clones share everything.
///
/// What it cannot: a deadlock over several keys is not seen, neither here nor by the server, since what is
/// held on one session and waited for on another is no cycle to it. Give waits a deadline. Only a task that
/// waits for what it holds itself is told so, by a warning of `tracing`'s.
///
/// When the last clone and the last [`Held`] are dropped, its sessions end and its thread with them.
#[doc(alias = "mutex")]
pub struct Locks<D: Driver> {
    pub(crate) shared: Arc<Shared<D>>,
}

impl<D: Driver> Locks<D> {
    /// Settings for locks over this driver.
    ///
    /// # Examples
    /// ```
    /// use dlock_db::memory::{Database, Locks};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let locks = Locks::builder(Database::new()).name("billing").max_waiting(4).build()?;
    /// # drop(locks);
    /// # Ok(())
    /// # }
    /// ```
    pub fn builder(driver: impl Into<D>) -> LocksBuilder<D> {
        LocksBuilder::new(driver.into())
    }

    /// A request for a key, to be refined.
    ///
    /// # Errors
    /// A key that cannot name a lock on this server.
    ///
    /// # Examples
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let locks = dlock_db::memory::Database::new().locks();
    /// let held = locks.key("report")?.shared().lock().await?;
    /// # drop(held);
    /// # Ok(())
    /// # }
    /// ```
    pub fn key<K>(&self, key: K) -> Result<Request<D>, KeyError>
    where
        K: TryInto<D::Key, Error: Into<KeyError>>,
    {
        Ok(Request::new(self.clone(), self.checked(key)?))
    }

    /// A key that names a lock on this server.
    pub(crate) fn checked<K>(&self, key: K) -> Result<D::Key, KeyError>
    where
        K: TryInto<D::Key, Error: Into<KeyError>>,
    {
        self.shared.driver.accept(key.try_into().map_err(Into::into)?)
    }

    /// Waits for a key for as long as it takes.
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
    /// let held = locks.lock("invoice:42").await?;
    /// // … critical section …
    /// held.release().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn lock<K>(&self, key: K) -> Result<Held<D>, Error<D::Error>>
    where
        K: TryInto<D::Key, Error: Into<KeyError>>,
    {
        self.key(key)?.lock().await
    }

    /// Takes a key if it is free. `None`: it is not.
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
    /// match locks.try_lock("invoice:42").await? {
    ///     Some(held) => held.release().await?, // … after the critical section
    ///     None => println!("somebody else is at it"),
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "try")]
    pub async fn try_lock<K>(&self, key: K) -> Result<Option<Held<D>>, Error<D::Error>>
    where
        K: TryInto<D::Key, Error: Into<KeyError>>,
    {
        self.key(key)?.try_lock().await
    }

    /// Waits for a key for at most so long.
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
    /// use dlock_db::LocksError;
    /// use std::time::Duration;
    ///
    /// match locks.lock_within("invoice:42", Duration::from_secs(2)).await {
    ///     Ok(held) => held.release().await?, // … after the critical section
    ///     Err(LocksError::TimedOut { .. }) => println!("two seconds were not enough"),
    ///     Err(error) => return Err(error.into()),
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "timeout")]
    pub async fn lock_within<K>(&self, key: K, limit: Duration) -> Result<Held<D>, Error<D::Error>>
    where
        K: TryInto<D::Key, Error: Into<KeyError>>,
    {
        self.key(key)?.lock_within(limit).await
    }

    /// Runs a body under the lock, for as long as the lock is held, and releases.
    ///
    /// # Errors
    /// As [`lock_within`](Self::lock_within), for [`Wait::No`] too, and [`Error::Lost`] when the lock was
    /// lost: the body was dropped then, or others may have held the key while it ran.
    ///
    /// # Cancel safety
    /// Dropped, so is the body, and the lock is released.
    ///
    /// # Examples
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let locks = dlock_db::memory::Database::new().locks();
    /// # use dlock_db::memory::Held;
    /// use dlock_db::Wait;
    ///
    /// let sum = locks.with("invoice:42", Wait::Forever, async |_held: &Held| 40 + 2).await?;
    /// assert_eq!(sum, 42);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn with<K, T, F>(
        &self,
        key: K,
        wait: impl Into<Wait>,
        body: F,
    ) -> Result<T, Error<D::Error>>
    where
        K: TryInto<D::Key, Error: Into<KeyError>>,
        F: AsyncFnOnce(&Held<D>) -> T,
    {
        self.key(key)?.with(wait, body).await
    }

    /// Waits until a session is open.
    pub(crate) async fn open(&self) -> Result<(), Error<D::Error>> {
        let (sender, answer) = oneshot::channel();
        self.shared.tell(Input::Open(sender));
        let opened = answer.await.map_err(|_| Error::Closed)?;
        opened.map_err(|source| Error::NotConnected { source })
    }

    /// Counts.
    ///
    /// # Errors
    /// [`Error::Closed`].
    ///
    /// # Cancel safety
    /// May be dropped at any time.
    ///
    /// # Examples
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let locks = dlock_db::memory::Database::new().locks();
    /// let held = locks.lock("invoice:42").await?;
    /// assert_eq!(locks.stats().await?.held, 1);
    /// # drop(held);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn stats(&self) -> Result<Stats, Error<D::Error>> {
        let (sender, answer) = oneshot::channel();
        self.shared.tell(Input::Stats(sender));
        answer.await.map_err(|_| Error::Closed)
    }

    /// Lets everything go: who waits is refused, what is held is lost, every session ends.
    ///
    /// # Cancel safety
    /// Dropped, it goes on.
    ///
    /// # Examples
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let locks = dlock_db::memory::Database::new().locks();
    /// locks.close().await; // before the process ends: who waits elsewhere need not wait for a lease
    /// # assert!(locks.lock("invoice:42").await.is_err());
    /// # Ok(())
    /// # }
    /// ```
    pub async fn close(&self) {
        let (sender, answer) = oneshot::channel();
        self.shared.closed.cancel();
        self.shared.tell(Input::Close(sender));
        // An engine that is gone has closed.
        let _ = answer.await;
    }
}

impl<D: Driver> Clone for Locks<D> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

impl<D: Driver> fmt::Debug for Locks<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Locks").field("system", &D::SYSTEM).finish_non_exhaustive()
    }
}
