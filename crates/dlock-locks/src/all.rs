//! Several keys at once.

use crate::driver::Driver;
use crate::held::Part;
use crate::model::{Need, Patience};
use crate::order::in_order;
use crate::pending::Pending;
use crate::{Error, Held, Locks, Mode, SharedDriver};
use dlock_core::{KeyError, Wait, within};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// A request for several keys, to be refined before it is made: all of them or none. It may be made again
/// and again.
///
/// They are tried all at once. Where one is held elsewhere, those behind it in the order of keys, which is
/// the same in every process, are let go while that one is waited for: so that no two such requests ever
/// wait for each other. Locks that are taken one by one in another order may be in the way of it for ever:
/// give it a deadline.
#[must_use = "nothing is asked for yet"]
pub struct All<D: Driver> {
    locks: Locks<D>,
    /// In order, each once, at least one.
    keys: Vec<D::Key>,
    mode: Mode,
}

impl<D: Driver> Locks<D> {
    /// A request for several keys, to be refined. Those that are the same to the server count once.
    ///
    /// # Errors
    /// [`Error::Key`], for a key that cannot name a lock on this server; [`Error::NoKeys`].
    ///
    /// # Examples
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let locks = dlock_db::memory::Database::new().locks();
    /// let held = locks.all(["account:1", "account:2"])?.shared().lock().await?;
    /// # drop(held);
    /// # Ok(())
    /// # }
    /// ```
    pub fn all<K>(&self, keys: impl IntoIterator<Item = K>) -> Result<All<D>, Error<D::Error>>
    where
        K: TryInto<D::Key, Error: Into<KeyError>>,
    {
        let checked = keys.into_iter().map(|key| self.checked(key));
        let keys = in_order(checked.collect::<Result<Vec<_>, _>>()?, D::folded);
        match keys.is_empty() {
            true => Err(Error::NoKeys),
            false => Ok(All { locks: self.clone(), keys, mode: Mode::Exclusive }),
        }
    }

    /// Waits for several keys: all of them or none. Those that are the same to the server count once, and all
    /// are had in one round trip where all are free.
    ///
    /// # Errors
    /// [`Error::TimedOut`], with one that was held elsewhere, when the time is over first, for [`Wait::No`]
    /// too; [`Error::NoKeys`].
    ///
    /// # Cancel safety
    /// Dropped, it leaves its places in the queues, and what was granted meanwhile is let go.
    ///
    /// # Examples
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let locks = dlock_db::memory::Database::new().locks();
    /// use std::time::Duration;
    ///
    /// let accounts = ["account:2", "account:1"];
    /// let held = locks.lock_all(accounts, Duration::from_secs(2)).await?;
    /// // … from one to the other …
    /// held.release().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn lock_all<K>(
        &self,
        keys: impl IntoIterator<Item = K>,
        wait: impl Into<Wait>,
    ) -> Result<Held<D>, Error<D::Error>>
    where
        K: TryInto<D::Key, Error: Into<KeyError>>,
    {
        self.all(keys)?.acquire(wait).await
    }
}

impl<D: Driver> All<D> {
    /// Waits for as long as it takes.
    ///
    /// # Errors
    /// All but [`Error::TimedOut`].
    ///
    /// # Cancel safety
    /// As [`Locks::lock_all`].
    ///
    /// # Examples
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let locks = dlock_db::memory::Database::new().locks();
    /// let request = locks.all(["account:1", "account:2"])?;
    /// let held = request.lock().await?;
    /// // … critical section …
    /// held.release().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn lock(&self) -> Result<Held<D>, Error<D::Error>> {
        self.acquire(Wait::Forever).await
    }

    /// Takes the keys if all are free. `None`: one is not.
    ///
    /// # Errors
    /// All but [`Error::TimedOut`].
    ///
    /// # Cancel safety
    /// As [`Locks::lock_all`].
    ///
    /// # Examples
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let locks = dlock_db::memory::Database::new().locks();
    /// let request = locks.all(["account:1", "account:2"])?;
    /// if let Some(held) = request.try_lock().await? {
    ///     // … critical section …
    ///     held.release().await?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
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
    /// As [`Locks::lock_all`].
    ///
    /// # Cancel safety
    /// As [`Locks::lock_all`].
    ///
    /// # Examples
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let locks = dlock_db::memory::Database::new().locks();
    /// use std::time::Duration;
    ///
    /// let request = locks.all(["account:1", "account:2"])?;
    /// let held = request.lock_within(Duration::from_secs(2)).await?;
    /// // … critical section …
    /// held.release().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn lock_within(&self, limit: Duration) -> Result<Held<D>, Error<D::Error>> {
        self.acquire(limit).await
    }

    /// Waits like this.
    ///
    /// # Errors
    /// As [`Locks::lock_all`].
    ///
    /// # Cancel safety
    /// As [`Locks::lock_all`].
    ///
    /// # Examples
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let locks = dlock_db::memory::Database::new().locks();
    /// use dlock_db::Wait;
    ///
    /// let request = locks.all(["account:1", "account:2"])?;
    /// let held = request.acquire(Wait::Forever).await?;
    /// // … critical section …
    /// held.release().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn acquire(&self, wait: impl Into<Wait>) -> Result<Held<D>, Error<D::Error>> {
        let shared = &self.locks.shared;
        let patience = shared.patience(wait.into());
        shared.meter.acquire(self.ask(patience)).await
    }

    async fn ask(&self, patience: Patience) -> Result<Held<D>, Error<D::Error>> {
        loop {
            let mut taking = Taking::new(self);
            taking.take_all(patience).await?;
            // What was lost before the last was granted is taken again.
            if !taking.held.is_lost() {
                return Ok(taking.held);
            }
        }
    }
}

impl<D: SharedDriver> All<D> {
    /// Asks for all in the shared mode.
    ///
    /// # Examples
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let locks = dlock_db::memory::Database::new().locks();
    /// let held = locks.all(["account:1", "account:2"])?.shared().lock().await?;
    /// # drop(held);
    /// # Ok(())
    /// # }
    /// ```
    pub fn shared(mut self) -> Self {
        self.mode = Mode::Shared;
        self
    }
}

/// A request under way, with the first of its keys that are held.
struct Taking<'a, D: Driver> {
    all: &'a All<D>,
    /// Without those that the server takes for one of the others.
    keys: Vec<D::Key>,
    held: Held<D>,
    cancel: CancellationToken,
}

impl<'a, D: Driver> Taking<'a, D> {
    fn new(all: &'a All<D>) -> Self {
        let cancel = CancellationToken::new();
        let shared = Arc::clone(&all.locks.shared);
        let held = Held::new(shared, Vec::new(), all.mode, cancel.clone());
        Self { all, keys: all.keys.clone(), held, cancel }
    }

    /// Those that are not held yet.
    fn rest(&self) -> &[D::Key] {
        &self.keys[self.held.keys().count()..]
    }

    /// Leaves the next out where the server takes it for the one before, which is held: it is refused for ever.
    fn leave_out_twin(&mut self) -> bool {
        let count = self.held.keys().count();
        let Some([held, next]) = count.checked_sub(1).and_then(|at| self.keys.get(at..=count))
        else {
            return false;
        };
        let folded = |key: &D::Key| D::folded(key).unwrap_or_else(|| key.clone());
        let is_twin = self.all.locks.shared.driver.folds() && folded(held) == folded(next);
        if is_twin {
            self.keys.remove(count);
        }
        is_twin
    }

    async fn take_all(&mut self, patience: Patience) -> Result<(), Error<D::Error>> {
        loop {
            self.try_in_time(patience).await?;
            if self.leave_out_twin() {
                continue;
            }
            let Some(next) = self.rest().first().filter(|_| !self.held.is_lost()) else {
                return Ok(());
            };
            let next = next.clone();
            if patience == Patience::No {
                return Err(Error::TimedOut { key: next.to_string(), holder: None });
            }
            self.wait_for(next, patience).await?;
        }
    }

    /// A server that is silent answers no try: the time is over nevertheless.
    async fn try_in_time(&mut self, patience: Patience) -> Result<(), Error<D::Error>> {
        let Patience::Until(end) = patience else { return self.try_rest().await };
        let left = end.saturating_sub(self.all.locks.shared.clock.now());
        if let Some(tried) = within(left, self.try_rest()).await {
            return tried;
        }
        let next = self.rest().first().unwrap_or(&self.keys[0]);
        Err(Error::TimedOut { key: next.to_string(), holder: None })
    }

    /// Tries all at once, and keeps those in front of the first that was refused.
    async fn try_rest(&mut self) -> Result<(), Error<D::Error>> {
        let rest = self.rest().iter().map(|key| (key.clone(), self.cancel.clone()));
        let mut tries = Pending::all(&self.all.locks.shared, rest, self.all.mode);
        // The last is answered last: to wait for it is to be woken once.
        let Some(last) = tries.pop() else { return Ok(()) };
        let last = last.granted().await.map(|part| self.alone(part));
        let mut is_refused = false;
        for pending in tries {
            self.take_in(pending.granted().await, &mut is_refused)?;
        }
        let last = last.map(|mut held| held.take());
        last.transpose().map_or(Ok(()), |last| self.take_in(last, &mut is_refused))
    }

    fn take_in(
        &mut self,
        granted: Result<Part<D>, Error<D::Error>>,
        is_refused: &mut bool,
    ) -> Result<(), Error<D::Error>> {
        match granted {
            Ok(part) if *is_refused => self.held.shed(part),
            Ok(part) => self.held.add(part),
            Err(Error::TimedOut { .. }) => *is_refused = true,
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// A part that is let go when it is dropped.
    fn alone(&self, part: Part<D>) -> Held<D> {
        let All { locks, mode, .. } = self.all;
        Held::new(Arc::clone(&locks.shared), vec![part], *mode, self.cancel.clone())
    }

    async fn wait_for(&mut self, key: D::Key, patience: Patience) -> Result<(), Error<D::Error>> {
        let (All { locks, mode, .. }, need) = (self.all, Need::Nothing);
        let pending = Pending::new(&locks.shared, key, *mode, patience, need, &self.cancel);
        self.held.add(pending.granted().await?);
        Ok(())
    }
}

impl<D: Driver> fmt::Debug for All<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("All")
            .field("keys", &self.keys)
            .field("mode", &self.mode)
            .finish_non_exhaustive()
    }
}
