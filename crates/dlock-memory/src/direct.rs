use crate::table::Reply;
use crate::waiting::outcome;
use crate::{Ended, Error, Key, Mode, Session};
use dlock_core::{ByRef, RawIntoSession, RawLock, RawNew, RawShared, RawUnlock, Wait};
use std::borrow::Borrow;
use tokio::task::yield_now;

/// A lock over a session that takes `&self`: owned, shared or borrowed.
#[derive(Debug)]
pub struct Direct<S> {
    session: S,
    key: Key,
    mode: Mode,
    /// Whether the session holds or awaits the key on behalf of this lock and no other.
    mine: bool,
}

impl<S: Borrow<Session> + Send + Sync> RawLock for Direct<S> {
    type Key = Key;
    type Mode = Mode;
    type Session = Session;
    type Lend = ByRef;
    type Error = Ended;

    fn key(&self) -> &Key {
        &self.key
    }

    fn mode(&self) -> Mode {
        self.mode
    }

    fn session(&mut self) -> Option<&Session> {
        let session: &Session = self.session.borrow();
        (!session.is_ended()).then_some(session)
    }

    fn is_closed(&self) -> bool {
        self.session.borrow().is_ended()
    }

    async fn lock(&mut self, wait: Wait) -> Result<bool, Error> {
        let session: &Session = self.session.borrow();
        // The request is on its way, and so is the answer: a future may be dropped there.
        session.arrive().await;
        let reply = session.ask(self.key.as_str(), self.mode, wait != Wait::No);
        self.mine = matches!(reply, Reply::Granted | Reply::Queued { .. });
        let answer = outcome(session, self.key.as_str(), wait, reply).await;
        yield_now().await;
        self.mine = matches!(answer, Ok(true));
        answer
    }

    fn abandon(&mut self) {
        if std::mem::take(&mut self.mine) {
            // A session that was ended holds nothing.
            let _ = self.session.borrow().release(self.key.as_str());
        }
    }

    async fn settle(&mut self) -> Result<(), Error> {
        yield_now().await;
        Ok(())
    }
}

impl<S: Borrow<Session> + Send + Sync> RawUnlock for Direct<S> {
    async fn unlock(&mut self) -> Result<bool, Error> {
        self.session.borrow().arrive().await;
        let released = self.session.borrow().release(self.key.as_str());
        self.mine = false;
        yield_now().await;
        released.map_err(Error::Driver)
    }
}

impl<S: Borrow<Session> + Send + Sync> RawNew<S> for Direct<S> {
    fn new(session: S, key: Key) -> Self {
        Self { session, key, mode: Mode::Exclusive, mine: false }
    }
}

impl<S: Borrow<Session> + Send + Sync> RawIntoSession for Direct<S> {
    type Owned = S;

    fn into_session(self) -> Option<S> {
        (!self.is_closed()).then_some(self.session)
    }
}

impl<S: Borrow<Session> + Send + Sync> RawShared for Direct<S> {
    fn set_shared(&mut self) {
        self.mode = Mode::Shared;
    }
}
