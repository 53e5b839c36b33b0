//! Who held the key of a wait that ran out.

use crate::driver::Driver;
use crate::engine::progress::names;
use crate::locks::Shared;
use crate::{Error, InspectDriver, Locks, LocksBuilder};
use dlock_core::within;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

/// How long the server may take to say it: below what a wait may be late by.
const PATIENCE: Duration = Duration::from_secs(2);

type Looking = Pin<Box<dyn Future<Output = Option<Box<str>>> + Send>>;

/// Asks the server who holds a key.
pub(crate) type Blame<D> = fn(Locks<D>, <D as Driver>::Key) -> Looking;

impl<D: InspectDriver> LocksBuilder<D> {
    /// Whether the error of a wait that ran out names who held the key then, as
    /// [`holder`](Locks::holder) tells it. Off unless said: it opens one more session for a moment, once for
    /// each wait that ran out, and takes two seconds at most. A try asks nobody.
    ///
    /// # Examples
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use dlock_db::LocksError;
    /// use std::time::Duration;
    ///
    /// # let database = dlock_db::memory::Database::new();
    /// # let _held = database.locks().lock("invoice:42").await?;
    /// let locks = database.builder().name_holders(true).build()?;
    /// match locks.lock_within("invoice:42", Duration::from_millis(20)).await {
    ///     Err(LocksError::TimedOut { holder: Some(who), .. }) => println!("{who} has it"),
    ///     # Ok(_) | Err(LocksError::TimedOut { .. }) => panic!("it is held, and one can see by whom"),
    ///     other => drop(other?),
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn name_holders(self, are_named: bool) -> Self {
        self.with_blame(are_named.then_some(look::<D> as Blame<D>))
    }
}

fn look<D: InspectDriver>(locks: Locks<D>, key: D::Key) -> Looking {
    Box::pin(async move {
        let holders = within(PATIENCE, locks.look(Some(key))).await?.ok()?;
        // Who held it may have let go meanwhile.
        Some(names(&holders)).filter(|names| !names.is_empty()).map(Into::into)
    })
}

/// The error of a wait that ran out, as far as one is to know.
pub(crate) async fn timed_out<D: Driver>(shared: Arc<Shared<D>>, key: &D::Key) -> Error<D::Error> {
    let holder = match shared.blame {
        Some(look) => look(Locks { shared }, key.clone()).await,
        None => None,
    };
    Error::TimedOut { key: key.to_string(), holder }
}
