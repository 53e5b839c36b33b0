use crate::acquire::Acquire;
use crate::claim::Claim;
use crate::release::Release;
use crate::statement::LONGEST;
use crate::{AsConn, ByKilling, Error, Key, Mode, Place};
use dlock_core::{
    ByMut, Exclusive, RawAbort, RawIntoSession, RawLock, RawNew, RawPrepared, RawUnlock, Wait,
};
use mysql_async::Conn;
use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

/// A named lock of MySQL or MariaDB, over the connection `S`.
pub struct Named<S: Place> {
    exclusive: S::Exclusive,
    key: Key,
    claim: Arc<Claim>,
}

impl<S: Place> Named<S> {
    fn release(&self) -> Release {
        Release(Arc::clone(&self.claim))
    }
}

impl<S: Place> RawLock for Named<S> {
    type Key = Key;
    type Mode = Mode;
    type Session = S::Conn;
    type Lend = ByMut;
    type Error = mysql_async::Error;

    const SYSTEM: &'static str = "mysql";

    fn key(&self) -> &Key {
        &self.key
    }

    fn mode(&self) -> Mode {
        Mode::Exclusive
    }

    fn session(&mut self) -> Option<&mut S::Conn> {
        self.claim.facts().is_untouched = false;
        self.exclusive.session()
    }

    fn is_closed(&self) -> bool {
        let is_lost = |session: &S::Conn| session.conn().is_disconnected();
        self.exclusive.is_closed()
            || self.exclusive.peek().is_some_and(is_lost) && !self.claim.facts().is_stuck
    }

    fn lock(&mut self, wait: Wait) -> impl Future<Output = Result<bool, Error>> + Send {
        let longest = Duration::from_millis(LONGEST);
        self.exclusive.run(Acquire { claim: Arc::clone(&self.claim), wait, longest })
    }

    fn abandon(&mut self) {
        let release = self.release();
        self.exclusive.abandon(release);
    }

    async fn settle(&mut self) -> Result<(), Error> {
        self.exclusive.settle().await
    }
}

impl<S: Place> RawUnlock for Named<S> {
    fn unlock(&mut self) -> impl Future<Output = Result<bool, Error>> + Send {
        let release = self.release();
        self.exclusive.run(release)
    }
}

impl<S: Place> RawNew<S> for Named<S> {
    fn new(session: S, key: Key) -> Self {
        let claim = Arc::new(Claim::new(session.borrow().conn(), &key));
        Self { exclusive: session.hold(ByKilling(Arc::clone(&claim))), key, claim }
    }
}

impl RawAbort for Named<Conn> {
    async fn end(&mut self) -> Result<(), Error> {
        self.exclusive.end().await
    }
}

/// Over an owned connection only: what the driver keeps for a lent one is its owner's.
impl RawPrepared for Named<Conn> {
    fn set_prepared(&mut self) {
        self.claim.facts().prepares = true;
    }
}

impl RawIntoSession for Named<Conn> {
    type Owned = Conn;

    fn into_session(self) -> Option<Conn> {
        self.exclusive.into_session()
    }
}

impl<S: Place> fmt::Debug for Named<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Named").field("key", &self.key).finish_non_exhaustive()
    }
}
