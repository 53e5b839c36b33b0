//! Several at a time.

mod permit;
mod pool;
mod seek;
mod waiting;

pub use permit::Permit;
pub(crate) use pool::Pool;

use crate::driver::Driver;
use crate::sync::Mutex;
use crate::{Error, Locks};
use dlock_core::{KeyError, Wait, within};
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, PoisonError, Weak};
use std::time::Duration;
use waiting::Waiting;

/// The semaphores of one factory that are in use.
pub(crate) type Semaphores<D> = Mutex<HashMap<<D as Driver>::Key, Weak<Pool<D>>>>;

/// So many at a time, in all processes together. It is cheap to clone.
///
/// In one process, permits are had in the order in which they were asked for, and handed over without a
/// round trip; after a [stay](crate::LocksBuilder::stay) in the process a permit is let go for others. Between
/// processes those who look for a permit queue up for a turnstile, and who is through looks each 10
/// milliseconds. Whoever is frozen there holds the others up for a lease.
///
/// All must be of one opinion about the number. In one [`Locks`] another is an error; between processes
/// nobody sees it, and as many are out as the largest says.
pub struct Semaphore<D: Driver> {
    pool: Arc<Pool<D>>,
}

impl<D: Driver> Locks<D> {
    /// A semaphore of this name with so many permits. It asks for keys that are derived of its name, one for
    /// each permit and one beside; nothing is asked for yet.
    ///
    /// # Errors
    /// [`Error::Key`]; [`Error::NoPermits`]; [`Error::OtherPermits`] while a semaphore of this name and
    /// another number is in use here; [`Error::TooManyKeys`].
    ///
    /// # Examples
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let locks = dlock_db::memory::Database::new().locks();
    /// let exports = locks.semaphore("exports", 3)?; // at most three at a time, in all processes
    /// let permit = exports.acquire(None).await?;
    /// // … export …
    /// permit.release().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn semaphore<K>(&self, name: K, permits: usize) -> Result<Semaphore<D>, Error<D::Error>>
    where
        K: TryInto<D::Key, Error: Into<KeyError>>,
    {
        let key = self.checked(name)?;
        if permits == 0 {
            return Err(Error::NoPermits { key: key.to_string() });
        }
        if permits >= self.shared.settings.max_keys {
            return Err(Error::TooManyKeys { key: key.to_string() });
        }
        self.one_pool(key, permits).map(|pool| Semaphore { pool })
    }

    fn one_pool(&self, key: D::Key, permits: usize) -> Result<Arc<Pool<D>>, Error<D::Error>> {
        let mut known = self.shared.semaphores.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pool) = known.get(&key).and_then(Weak::upgrade) {
            return match pool.permits() {
                others if others == permits => Ok(pool),
                others => Err(Error::OtherPermits { key: key.to_string(), permits, others }),
            };
        }
        known.retain(|_, pool| pool.strong_count() > 0);
        let pool = Arc::new(Pool::new(Arc::clone(&self.shared), key.clone(), permits));
        known.insert(key, Arc::downgrade(&pool));
        Ok(pool)
    }
}

impl<D: Driver> Semaphore<D> {
    /// Waits for a permit like this.
    ///
    /// # Errors
    /// [`Error::TimedOut`] when the time is over first, for [`Wait::No`] too.
    ///
    /// # Cancel safety
    /// Dropped, it leaves its place in the queue, and a permit that was granted meanwhile is given back.
    ///
    /// # Examples
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let locks = dlock_db::memory::Database::new().locks();
    /// let exports = locks.semaphore("exports", 3)?;
    /// let permit = exports.acquire(None).await?;
    /// // … export …
    /// permit.release().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn acquire(&self, wait: impl Into<Wait>) -> Result<Permit<D>, Error<D::Error>> {
        self.pool.meter().acquire(self.ask(wait.into().normal())).await
    }

    async fn ask(&self, wait: Wait) -> Result<Permit<D>, Error<D::Error>> {
        let mut waiting = Waiting::new(&self.pool, wait == Wait::No);
        let answer = match wait {
            Wait::For(limit) => within(limit, waiting.answer()).await,
            Wait::No | Wait::Forever => Some(waiting.answer().await),
        };
        answer.unwrap_or_else(|| Err(Error::TimedOut { key: self.key().to_string(), holder: None }))
    }

    /// Takes a permit if there is one. `None`: there is not, or others look for one at this moment who came
    /// earlier.
    ///
    /// # Errors
    /// All but [`Error::TimedOut`].
    ///
    /// # Cancel safety
    /// As [`acquire`](Self::acquire).
    ///
    /// # Examples
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let locks = dlock_db::memory::Database::new().locks();
    /// let exports = locks.semaphore("exports", 3)?;
    /// if let Some(permit) = exports.try_acquire().await? {
    ///     // … export …
    ///     permit.release().await?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn try_acquire(&self) -> Result<Option<Permit<D>>, Error<D::Error>> {
        match self.acquire(Wait::No).await {
            Ok(permit) => Ok(Some(permit)),
            Err(Error::TimedOut { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Waits for a permit for at most so long.
    ///
    /// # Errors
    /// As [`acquire`](Self::acquire).
    ///
    /// # Cancel safety
    /// As [`acquire`](Self::acquire).
    ///
    /// # Examples
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let locks = dlock_db::memory::Database::new().locks();
    /// use std::time::Duration;
    ///
    /// let exports = locks.semaphore("exports", 3)?;
    /// let permit = exports.acquire_within(Duration::from_secs(2)).await?;
    /// # drop(permit);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn acquire_within(&self, limit: Duration) -> Result<Permit<D>, Error<D::Error>> {
        self.acquire(limit).await
    }

    /// Its name as the server sees it.
    ///
    /// # Examples
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let locks = dlock_db::memory::Database::new().locks();
    /// let exports = locks.semaphore("exports", 3)?;
    /// assert_eq!(exports.key().to_string(), "exports");
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn key(&self) -> &D::Key {
        self.pool.key()
    }

    /// How many permits there are.
    ///
    /// # Examples
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let locks = dlock_db::memory::Database::new().locks();
    /// let exports = locks.semaphore("exports", 3)?;
    /// assert_eq!(exports.permits(), 3);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn permits(&self) -> usize {
        self.pool.permits()
    }
}

impl<D: Driver> Clone for Semaphore<D> {
    fn clone(&self) -> Self {
        Self { pool: Arc::clone(&self.pool) }
    }
}

impl<D: Driver> fmt::Debug for Semaphore<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Semaphore")
            .field("key", self.key())
            .field("permits", &self.permits())
            .finish_non_exhaustive()
    }
}
