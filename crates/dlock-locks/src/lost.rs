/// Why a lock was lost.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum LostReason {
    /// The session it lived on has ended: killed, cut, or its server went away.
    SessionEnded,
    /// The server was silent for so long that it may let the key go at any moment.
    Silent,
    /// The server said that the session did not hold the key.
    NotHeld,
    /// Its fence was raised by a later holder.
    Fenced,
    /// The `Locks` it came from was closed.
    Closed,
    /// The term of the leader it belonged to is over.
    Ended,
}

/// A lock that is not held any more: others may have held the key since.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the lock on {key} was lost: {}", self.why())]
pub struct Lost {
    key: String,
    reason: LostReason,
}

impl Lost {
    pub(crate) fn new(key: String, reason: LostReason) -> Self {
        Self { key, reason }
    }

    /// The key, in its `Display` form.
    ///
    /// # Examples
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let locks = dlock_db::memory::Database::new().locks();
    /// let held = locks.lock("invoice:42").await?;
    /// locks.close().await;
    /// assert_eq!(held.lost().await.key(), "invoice:42");
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Why it was lost.
    ///
    /// # Examples
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let locks = dlock_db::memory::Database::new().locks();
    /// use dlock_db::LostReason;
    ///
    /// let held = locks.lock("invoice:42").await?;
    /// locks.close().await;
    /// assert_eq!(held.lost().await.reason(), LostReason::Closed);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn reason(&self) -> LostReason {
        self.reason
    }

    fn why(&self) -> &'static str {
        match self.reason {
            LostReason::SessionEnded => "its session has ended",
            LostReason::Silent => "the server was silent for longer than the lease is trusted",
            LostReason::NotHeld => "the server says that the session did not hold it",
            LostReason::Fenced => "a later holder has raised its fence",
            LostReason::Closed => "its factory was closed",
            LostReason::Ended => "the term of its leader is over",
        }
    }
}
