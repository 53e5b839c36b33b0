use crate::acquire::Acquire;
use crate::granted::Granted;
use crate::release::Release;
use crate::texts::Texts;
use crate::{Error, Key, Mode, Place};
use dlock_core::{ByMut, Hold, RawIntoSession, RawLock, RawNew, RawUnlock, Wait};
use mysql_async::Conn;
use std::fmt;
use std::sync::Arc;

/// A named lock of MySQL or MariaDB, over the connection `S`.
pub struct Named<S: Place> {
    hold: S::Hold,
    key: Key,
    texts: Arc<Texts>,
    granted: Granted,
}

impl<S: Place> Named<S> {
    fn release(&self) -> Release {
        Release { texts: Arc::clone(&self.texts), granted: self.granted.clone() }
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
        self.hold.session()
    }

    fn is_closed(&self) -> bool {
        self.hold.is_closed()
    }

    async fn lock(&mut self, wait: Wait) -> Result<bool, Error> {
        let acquire = Acquire::new(Arc::clone(&self.texts), wait, self.granted.clone());
        self.hold.run(acquire).await
    }

    fn abandon(&mut self) {
        let release = self.release();
        self.hold.abandon(release);
    }

    async fn settle(&mut self) -> Result<(), Error> {
        self.hold.settle().await;
        Ok(())
    }
}

impl<S: Place> RawUnlock for Named<S> {
    async fn unlock(&mut self) -> Result<bool, Error> {
        let release = self.release();
        self.hold.run(release).await
    }
}

impl<S: Place> RawNew<S> for Named<S> {
    fn new(session: S, key: Key) -> Self {
        let texts = Arc::new(Texts::new(&key));
        Self { hold: session.hold(), key, texts, granted: Granted::default() }
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
