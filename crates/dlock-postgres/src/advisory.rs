use crate::answer::{Native, ends_session, is_in_failed_transaction, meaning, queue, read, truth};
use crate::halves::Call;
use crate::key::Number;
use crate::leaving::{Leaving, Undo};
use crate::registry::{Claim, Registry};
use crate::session::AsSession;
use crate::{Error, Key, Mode, statement};
use dlock_core::{
    RawIntoSession, RawLock, RawNew, RawShared, RawSlice, RawUnlock, SessionRef, Wait,
};
use std::fmt;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::OwnedSemaphorePermit;
use tokio_postgres::{Client, SimpleQueryRow, SimpleQueryStream};

/// An advisory lock that is held by the session.
pub struct Advisory<S: AsSession> {
    kept: S::Kept,
    pub(crate) registry: Arc<Registry>,
    key: Key,
    mode: Mode,
    /// The mode that was asked for last: what there may be to undo.
    asked: Mode,
    /// The longest slice, where the caller has set it.
    pub(crate) slice: Option<Duration>,
    pub(crate) hold: Hold,
    /// A wait whose answer is to come, and its turn.
    waiting: Option<(Pin<Box<SimpleQueryStream>>, OwnedSemaphorePermit)>,
    leaving: Option<Leaving>,
    ended: bool,
    /// Where the last acquire was made, for a drop off the runtime.
    runtime: Option<Handle>,
}

/// What this lock has to do with its key on the session.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Hold {
    Nothing,
    /// It is claimed, and nothing of that is on the wire.
    Wanted,
    /// An answer is to come, or could not be had.
    Unknown,
    Held,
}

impl<S: AsSession> Advisory<S> {
    /// A lock that has sent nothing yet.
    pub(crate) fn of(session: S, key: Key) -> Self {
        let kept = session.keep();
        Self {
            registry: Registry::of(S::client(&kept)),
            kept,
            key,
            mode: Mode::Exclusive,
            asked: Mode::Exclusive,
            slice: None,
            hold: Hold::Nothing,
            waiting: None,
            leaving: None,
            ended: false,
            runtime: None,
        }
    }

    fn client(&self) -> &Client {
        S::client(&self.kept)
    }

    pub(crate) fn number(&self) -> Number {
        self.key.number()
    }

    pub(crate) fn asked(&self) -> Mode {
        self.asked
    }

    fn undo(&self) -> Undo {
        let (registry, mode, key) = (Arc::clone(&self.registry), self.asked, self.number());
        Undo { registry, mode, key, may_roll_back: S::IS_ALONE }
    }

    /// Says something, and reads the answer.
    pub(crate) async fn ask(&self, text: &str) -> Result<Vec<SimpleQueryRow>, Native> {
        let mut sent = pin!(queue(self.client(), text)?);
        attend::<S, _>(&self.kept, read(sent.as_mut())).await
    }

    /// Makes a call that is answered at once. What fails may have been done all the same.
    pub(crate) async fn call(&mut self, call: Call, text: &str) -> Result<Option<bool>, Native> {
        self.hold = Hold::Unknown;
        match (S::halves(&self.kept), self.number()) {
            (Some(session), Number::Single(key)) => session.call(call, self.asked, key, text).await,
            _ => self.ask(text).await.map(|rows| truth(&rows)),
        }
    }

    /// Says a wait that has its turn, and reads the answer, from where a drop can hand it on.
    pub(crate) async fn wait(
        &mut self,
        text: &str,
        turn: OwnedSemaphorePermit,
    ) -> Result<Vec<SimpleQueryRow>, Native> {
        let sent = Box::pin(queue(self.client(), text)?);
        self.hold = Hold::Unknown;
        let (answer, _) = self.waiting.insert((sent, turn));
        let rows = attend::<S, _>(&self.kept, read(answer.as_mut())).await;
        self.waiting = None;
        rows
    }

    /// Makes sure that the key is not held by this lock, whatever was asked last.
    pub(crate) async fn let_go(&mut self) -> Result<(), Error> {
        let done = self.undo().done(self.client()).await;
        done.map_err(|error| self.failed(error))?;
        self.is_free();
        Ok(())
    }

    pub(crate) fn is_free(&mut self) {
        self.hold = Hold::Nothing;
        self.registry.free(self.number());
    }

    /// What an error means. One that ended the session is kept in mind.
    pub(crate) fn failed(&mut self, error: Native) -> Error {
        self.ended |= ends_session(&error);
        meaning(error)
    }

    async fn unlock_once(&mut self) -> Result<bool, Error> {
        let text = statement::unlock(self.asked, self.number());
        let unlocked = self.call(Call::Unlock, &text).await;
        match unlocked {
            Ok(released) => {
                self.is_free();
                Ok(released == Some(true))
            }
            Err(error) if ends_session(&error) || is_in_failed_transaction(&error) => {
                self.hold = Hold::Held;
                Err(self.failed(error))
            }
            // Cancelled from outside: it may have been done before.
            Err(_) => match self.let_go().await {
                Ok(()) => Ok(true),
                Err(error) => {
                    self.hold = Hold::Held;
                    Err(error)
                }
            },
        }
    }
}

/// Waits for an answer, and drives the connection meanwhile where that is ours to do.
async fn attend<S: AsSession, T>(kept: &S::Kept, answer: impl Future<Output = T>) -> T {
    match S::halves(kept) {
        Some(session) => session.attend(pin!(answer)).await,
        None => answer.await,
    }
}

impl<S: AsSession> RawLock for Advisory<S> {
    type Key = Key;
    type Mode = Mode;
    type Session = Client;
    type Lend = S::Lend;
    type Error = Native;

    const SYSTEM: &'static str = "postgresql";

    fn key(&self) -> &Key {
        &self.key
    }

    fn mode(&self) -> Mode {
        self.mode
    }

    fn session(&mut self) -> Option<SessionRef<'_, Self>> {
        Some(S::lend(&mut self.kept))
    }

    fn is_closed(&self) -> bool {
        self.ended || self.client().is_closed()
    }

    fn longest_statement(&self) -> Duration {
        self.slice.unwrap_or(Duration::from_secs(1))
    }

    async fn lock(&mut self, wait: Wait) -> Result<bool, Error> {
        self.runtime = Handle::try_current().ok().or(self.runtime.take());
        self.settle().await?;
        self.asked = self.mode;
        let answer = self.acquire(wait).await;
        match (&answer, self.hold) {
            (Ok(true), _) => {
                self.hold = Hold::Held;
                self.registry.set(self.number(), Claim::Held);
            }
            (_, Hold::Wanted) => self.is_free(),
            // It could not be settled: the background goes on.
            (_, Hold::Unknown) => self.abandon(),
            (_, Hold::Nothing | Hold::Held) => {}
        }
        answer
    }

    fn abandon(&mut self) {
        // The rest of its answer is thrown away; its turn goes on to what stands behind it.
        let turn = self.waiting.take().map(|(_, turn)| turn);
        let undo = self.undo();
        let text = match self.hold {
            Hold::Nothing => return,
            Hold::Wanted => return self.is_free(),
            Hold::Unknown => undo.text(),
            Hold::Held => statement::unlock(self.asked, self.number()),
        };
        self.hold = Hold::Unknown;
        match queue(self.client(), &text) {
            Ok(sent) => {
                let link = S::link(&self.kept);
                let runtime = Handle::try_current().ok().or(self.runtime.clone());
                self.leaving = Some(Leaving::begin(undo, sent, link, turn, runtime.as_ref()));
            }
            Err(_) => self.is_free(),
        }
    }

    async fn settle(&mut self) -> Result<(), Error> {
        let has_left = self.leaving.take().is_some_and(|leaving| leaving.stop());
        match self.hold {
            Hold::Nothing => Ok(()),
            _ if has_left => {
                self.hold = Hold::Nothing;
                Ok(())
            }
            _ => self.let_go().await,
        }
    }
}

impl<S: AsSession> RawUnlock for Advisory<S> {
    async fn unlock(&mut self) -> Result<bool, Error> {
        self.unlock_once().await
    }

    async fn unlock_scope(&mut self) -> Result<bool, Error> {
        let unlocked = self.unlock_once().await;
        match unlocked {
            Err(Error::Driver(error)) if S::IS_ALONE && is_in_failed_transaction(&error) => {
                let rolled_back = self.ask(statement::ROLLBACK).await;
                rolled_back.map_err(|error| self.failed(error))?;
                self.unlock_once().await
            }
            unlocked => unlocked,
        }
    }
}

impl<S: AsSession> RawNew<S> for Advisory<S> {
    fn new(session: S, key: Key) -> Self {
        Self::of(session, key)
    }
}

impl<S: AsSession> RawIntoSession for Advisory<S> {
    type Owned = S;

    fn into_session(self) -> Option<S> {
        if self.is_closed() { None } else { S::give_back(self.kept) }
    }
}

impl<S: AsSession> RawShared for Advisory<S> {
    fn set_shared(&mut self) {
        self.mode = Mode::Shared;
    }
}

impl<S: AsSession> RawSlice for Advisory<S> {
    fn set_slice(&mut self, longest: Duration) {
        self.slice = Some(longest);
    }
}

impl<S: AsSession> fmt::Debug for Advisory<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Advisory")
            .field("key", &self.key)
            .field("mode", &self.mode)
            .field("hold", &self.hold)
            .finish_non_exhaustive()
    }
}
