//! What a lock may be asked for before it is acquired, where its server can do it.

use crate::{
    Lock, RawMode, RawPrepared, RawReleaseOnCommit, RawShared, RawSlice, RawUpdate, XactLock,
};
use std::time::Duration;

impl<R: RawShared> Lock<R> {
    /// Asks for the shared mode: many may hold it, and nobody exclusively meanwhile.
    ///
    /// # Panics
    /// On a locked lock.
    pub fn shared(mut self) -> Self {
        self.raw_mut().set_shared();
        self
    }
}

impl<R: RawUpdate> Lock<R> {
    /// Asks for the update mode: one may hold it beside shared ones, and later upgrade.
    ///
    /// # Panics
    /// On a locked lock.
    pub fn update(mut self) -> Self {
        self.raw_mut().set_update();
        self
    }
}

impl<R: RawMode> Lock<R> {
    /// Asks for this mode.
    ///
    /// # Panics
    /// On a locked lock.
    pub fn with_mode(mut self, mode: R::Mode) -> Self {
        self.raw_mut().set_mode(mode);
        self
    }
}

impl<R: RawReleaseOnCommit> Lock<R> {
    /// Lets the caller's COMMIT and ROLLBACK free the lock too. A release after that is `Ok`.
    ///
    /// # Panics
    /// On a locked lock.
    pub fn release_on_commit(mut self) -> Self {
        self.raw_mut().set_release_on_commit();
        self
    }
}

impl<R: RawSlice> Lock<R> {
    /// Sets the longest time that one statement waits in the server's queue: a wait goes on in slices,
    /// each of which joins the queue anew. What is right, and its price, says the driver's crate.
    ///
    /// # Panics
    /// On a locked lock.
    pub fn slice(mut self, longest: Duration) -> Self {
        self.raw_mut().set_slice(longest);
        self
    }
}

impl<R: RawPrepared> Lock<R> {
    /// Has statements prepared that are said again, which takes one more round trip for each, once; from
    /// then on the server need not parse them. For a lock that is taken again and again with the same wait.
    ///
    /// # Panics
    /// On a locked lock.
    pub fn prepared(mut self) -> Self {
        self.raw_mut().set_prepared();
        self
    }
}

impl<R: RawShared> XactLock<R> {
    /// Asks for the shared mode: many may hold it, and nobody exclusively meanwhile.
    ///
    /// # Panics
    /// On a locked lock.
    pub fn shared(mut self) -> Self {
        self.raw_mut().set_shared();
        self
    }
}

impl<R: RawUpdate> XactLock<R> {
    /// Asks for the update mode: one may hold it beside shared ones.
    ///
    /// # Panics
    /// On a locked lock.
    pub fn update(mut self) -> Self {
        self.raw_mut().set_update();
        self
    }
}
