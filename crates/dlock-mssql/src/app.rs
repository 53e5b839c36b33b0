use crate::acquire::{Acquire, SLICE};
use crate::release::Release;
use crate::request::{Known, Subject};
use crate::session::{Ending, HasClient, Place};
use crate::statement::{ACQUIRE, UPGRADE};
use crate::{Error, Key, Mode};
use dlock_core::{
    ByMut, Exclusive, RawIntoSession, RawLock, RawNew, RawShared, RawSlice, RawUnlock, RawUpdate,
    RawUpgrade, Wait,
};
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;
use tiberius::Client;
use tiberius::error::Error as Native;

/// What a lock belongs to, and ends with.
pub trait Owner: Send + 'static {
    /// The statement that asks for it.
    const ACQUIRE: &'static str;
    /// What a refusal of the call means.
    const REFUSAL: &'static str;
}

/// The session owns the lock: a release frees it, or the session's end.
#[derive(Debug)]
pub enum InSession {}

impl Owner for InSession {
    const ACQUIRE: &'static str = ACQUIRE;
    const REFUSAL: &'static str = "sp_getapplock did not accept the call; the session must be in a \
                                   database whose `public` role may execute it";
}

/// An application lock of SQL Server, over the session `S`.
#[derive(Debug)]
pub struct App<S: Place, O = InSession> {
    hold: S::Exclusive,
    subject: Arc<Subject>,
    mode: Mode,
    upgraded: bool,
    slice: Duration,
    owner: PhantomData<fn() -> O>,
}

impl<S: Place, O: Owner> App<S, O> {
    fn acquire(&self, statement: &'static str, mode: Mode, wait: Wait) -> Acquire {
        let (subject, longest) = (Arc::clone(&self.subject), self.slice);
        Acquire { statement, subject, mode, wait, longest, refusal: O::REFUSAL }
    }
}

impl<S: Place, O: Owner> RawLock for App<S, O> {
    type Key = Key;
    type Mode = Mode;
    type Session = Client<S::Stream>;
    type Lend = ByMut;
    type Error = Native;

    const SYSTEM: &'static str = "microsoft.sql_server";

    fn key(&self) -> &Key {
        &self.subject.key
    }

    fn mode(&self) -> Mode {
        if self.upgraded { Mode::Exclusive } else { self.mode }
    }

    fn session(&mut self) -> Option<&mut Client<S::Stream>> {
        self.hold.session().map(HasClient::client)
    }

    fn is_closed(&self) -> bool {
        self.hold.is_closed() || self.hold.peek().is_some_and(HasClient::is_ended)
    }

    async fn lock(&mut self, wait: Wait) -> Result<bool, Error> {
        // Nothing is held: what was known of an earlier hold is over.
        self.subject.change(|known| *known = Known::default());
        let acquire = self.acquire(O::ACQUIRE, self.mode, wait);
        self.hold.run(acquire).await
    }

    /// Behind a transaction's lock only a call in flight is abandoned, and it has seen to that itself.
    fn abandon(&mut self) {
        self.upgraded = false;
        self.hold.abandon(Release(Arc::clone(&self.subject)));
    }

    async fn settle(&mut self) -> Result<(), Error> {
        self.hold.settle().await
    }
}

impl<S: Place> RawUnlock for App<S> {
    async fn unlock(&mut self) -> Result<bool, Error> {
        let released = self.hold.run(Release(Arc::clone(&self.subject))).await?;
        self.upgraded = false;
        Ok(released)
    }
}

impl<S: Place> RawUpgrade for App<S> {
    async fn upgrade(&mut self, wait: Wait) -> Result<bool, Error> {
        if self.upgraded || self.mode != Mode::Update {
            return Err(Error::WrongMode);
        }
        let acquire = self.acquire(UPGRADE, Mode::Exclusive, wait);
        self.upgraded = self.hold.run(acquire).await?;
        Ok(self.upgraded)
    }
}

impl<S: Place, O: Owner> RawNew<S> for App<S, O> {
    fn new(session: S, key: Key) -> Self {
        let subject = Subject::new(key);
        let hold = session.hold(Ending::of(&subject));
        let (mode, owner) = (Mode::Exclusive, PhantomData);
        Self { hold, subject, mode, upgraded: false, slice: SLICE, owner }
    }
}

impl<S: Place> RawSlice for App<S> {
    fn set_slice(&mut self, longest: Duration) {
        self.slice = longest;
    }
}

impl<S: Place, O: Owner> RawShared for App<S, O> {
    fn set_shared(&mut self) {
        self.mode = Mode::Shared;
    }
}

impl<S: Place, O: Owner> RawUpdate for App<S, O> {
    fn set_update(&mut self) {
        self.mode = Mode::Update;
    }
}

impl<S: HasClient + 'static> RawIntoSession for App<S> {
    type Owned = S;

    fn into_session(self) -> Option<S> {
        self.hold.into_session()
    }
}
