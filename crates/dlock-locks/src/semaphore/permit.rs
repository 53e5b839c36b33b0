use super::pool::Pool;
use crate::Error;
use crate::driver::Driver;
use crate::held::Held;
use crate::model::Moment;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

/// One of the keys of a semaphore, which this process holds.
pub(crate) struct Slot<D: Driver> {
    pub(crate) index: usize,
    pub(crate) held: Held<D>,
    /// Since when it has been in this process.
    pub(crate) since: Moment,
    /// Whether nobody had it yet.
    pub(crate) is_new: bool,
}

/// A permit of a [`Semaphore`](super::Semaphore): a lock on one of its keys, until it is released, dropped or
/// lost.
///
/// Dropping it hands it over in the process, or releases it in the background.
#[doc(alias = "semaphore")]
#[must_use = "the permit is given back when this is dropped"]
pub struct Permit<D: Driver> {
    pool: Arc<Pool<D>>,
    /// `None` only once it is given back.
    slot: Option<Slot<D>>,
}

impl<D: Driver> Permit<D> {
    pub(crate) fn new(pool: Arc<Pool<D>>, mut slot: Slot<D>) -> Self {
        slot.is_new = false;
        Self { pool, slot: Some(slot) }
    }

    pub(crate) fn into_slot(mut self) -> Option<Slot<D>> {
        self.slot.take()
    }

    /// The semaphore's name as the server sees it.
    ///
    /// # Examples
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let locks = dlock_db::memory::Database::new().locks();
    /// let exports = locks.semaphore("exports", 3)?;
    /// let permit = exports.acquire(None).await?;
    /// assert_eq!(permit.key().to_string(), "exports");
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn key(&self) -> &D::Key {
        self.pool.key()
    }

    /// Gives it back, and waits until the server has let go or the next in this process has it.
    ///
    /// # Errors
    /// [`Error::Lost`] when it had been lost: others may have had it meanwhile.
    ///
    /// # Cancel safety
    /// Dropped, the release goes on.
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
    #[doc(alias = "unlock")]
    pub async fn release(mut self) -> Result<(), Error<D::Error>> {
        let left = self.slot.take().and_then(|slot| self.pool.hand_over(slot));
        let Some(slot) = left else { return Ok(()) };
        let _told = self.pool.tells();
        slot.held.release().await
    }
}

/// All that can be asked of a [`Held`].
impl<D: Driver> Deref for Permit<D> {
    type Target = Held<D>;

    fn deref(&self) -> &Held<D> {
        &self.slot.as_ref().expect("a permit that is not given back").held
    }
}

impl<D: Driver> Drop for Permit<D> {
    fn drop(&mut self) {
        if let Some(slot) = self.slot.take() {
            self.pool.offer(slot);
        }
    }
}

impl<D: Driver> fmt::Debug for Permit<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permit")
            .field("key", self.key())
            .field("held", &self.slot.as_ref().map(|slot| &slot.held))
            .finish()
    }
}
