use crate::acquire::Acquire;
use crate::claim::Claim;
use crate::known::Known;
use crate::release::Release;
use crate::{Error, Key, Mode, Place};
use dlock_core::{ByMut, Exclusive, RawIntoSession, RawLock, RawNew, RawPrepared, RawUnlock, Wait};
use mysql_async::Conn;
use std::fmt;
use std::future::Future;
use std::sync::Arc;

/// A named lock of MySQL or MariaDB, over the connection `S`.
pub struct Named<S: Place> {
    hold: S::Exclusive,
    key: Key,
    claim: Arc<Claim>,
}

impl<S: Place> Named<S> {
    fn acquire(&mut self, wait: Wait) -> Acquire {
        // Where a trip under way still shares it, the new trip makes its text itself.
        if let Some(claim) = Arc::get_mut(&mut self.claim) {
            claim.set_wait(wait);
        }
        Acquire::new(Arc::clone(&self.claim), wait)
    }

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
        self.claim.set_known(Known::Nothing);
        self.hold.session()
    }

    fn is_closed(&self) -> bool {
        self.hold.is_closed()
    }

    fn lock(&mut self, wait: Wait) -> impl Future<Output = Result<bool, Error>> + Send {
        let acquire = self.acquire(wait);
        self.hold.run(acquire)
    }

    fn abandon(&mut self) {
        let release = self.release();
        self.hold.abandon(release);
    }

    async fn settle(&mut self) -> Result<(), Error> {
        self.hold.settle().await
    }
}

impl<S: Place> RawUnlock for Named<S> {
    fn unlock(&mut self) -> impl Future<Output = Result<bool, Error>> + Send {
        let release = self.release();
        self.hold.run(release)
    }
}

impl<S: Place> RawNew<S> for Named<S> {
    fn new(session: S, key: Key) -> Self {
        let claim = Arc::new(Claim::new(&key));
        Self { hold: session.hold(), key, claim }
    }
}

/// Over an owned connection only: what the driver keeps for a lent one is its owner's.
impl RawPrepared for Named<Conn> {
    fn set_prepared(&mut self) {
        self.claim.set_prepared();
    }
}

impl RawIntoSession for Named<Conn> {
    type Owned = Conn;

    fn into_session(self) -> Option<Conn> {
        self.hold.into_session()
    }
}

impl<S: Place> fmt::Debug for Named<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Named").field("key", &self.key).finish_non_exhaustive()
    }
}
