use crate::answer::{Answer, Native, ends_session, meaning, queue, read, truth};
use crate::halves::Call;
use crate::key::Number;
use crate::leaving::{Leaving, Undoing};
use crate::registry::Registry;
use crate::session::AsSession;
use crate::{Error, Key, Mode};
use dlock_core::{RawIntoSession, RawLock, RawNew, RawShared, RawSlice, SessionRef, Wait};
use std::fmt;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::OwnedSemaphorePermit;
use tokio_postgres::{Client, SimpleQueryRow};

/// An advisory lock that is held by the session.
pub struct Advisory<S: AsSession> {
    pub(crate) kept: S::Kept,
    pub(crate) registry: Arc<Registry>,
    key: Key,
    pub(crate) mode: Mode,
    /// The mode that was asked for last: what there may be to undo.
    pub(crate) asked: Mode,
    /// The longest slice, where the caller has set it.
    pub(crate) slice: Option<Duration>,
    pub(crate) hold: Hold,
    /// What the last acquire claimed its key by, among those on this session.
    pub(crate) owner: u64,
    /// An answer that is to come, and the turn of a wait.
    pub(crate) in_flight: Option<(Answer, Option<OwnedSemaphorePermit>)>,
    /// An undo whose answer is to come.
    pub(crate) undoing: Option<Undoing>,
    pub(crate) leaving: Option<Leaving>,
    ended: bool,
    /// Where the last acquire was made, for a drop off the runtime.
    pub(crate) runtime: Option<Handle>,
}

/// What this lock has to do with its key on the session.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Hold {
    Nothing,
    /// It is claimed, and nothing of that is on the wire.
    Wanted,
    /// The key was asked for, and the answer is to come.
    Asked,
    /// It may be held: an answer could not be had.
    Unknown,
    Held,
}

impl<S: AsSession> Advisory<S> {
    pub(crate) fn client(&self) -> &Client {
        S::client(&self.kept)
    }

    pub(crate) fn number(&self) -> Number {
        self.key.number()
    }

    /// Says something, and reads the answer.
    pub(crate) async fn ask(&self, text: &str) -> Result<Vec<SimpleQueryRow>, Native> {
        let mut sent = pin!(queue(self.client(), text)?);
        attend::<S, _>(&self.kept, read(sent.as_mut())).await
    }

    /// Makes a call that is answered at once. What fails may have been done all the same.
    pub(crate) async fn call(&mut self, call: Call, text: &str) -> Result<Option<bool>, Native> {
        self.hold = if call == Call::Try { Hold::Asked } else { Hold::Unknown };
        match (S::halves(&self.kept), self.number()) {
            (Some(session), Number::Single(key)) => session.call(call, self.asked, key, text).await,
            _ => self.exchange(text, None).await.map(|rows| truth(&rows)),
        }
    }

    /// Asks for the key, and reads the answer.
    pub(crate) async fn ask_for_key(
        &mut self,
        text: &str,
        turn: Option<OwnedSemaphorePermit>,
    ) -> Result<Vec<SimpleQueryRow>, Native> {
        self.hold = Hold::Asked;
        self.exchange(text, turn).await
    }

    /// Says something, and reads the answer from where a drop can hand it on.
    async fn exchange(
        &mut self,
        text: &str,
        turn: Option<OwnedSemaphorePermit>,
    ) -> Result<Vec<SimpleQueryRow>, Native> {
        let sent = Box::pin(queue(self.client(), text)?);
        let (answer, _) = self.in_flight.insert((sent, turn));
        let rows = attend::<S, _>(&self.kept, read(answer.as_mut())).await;
        self.in_flight = None;
        rows
    }

    /// What an error means. One that ended the session is kept in mind.
    pub(crate) fn failed(&mut self, error: Native) -> Error {
        self.ended |= ends_session(&error);
        meaning(error)
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
        // After an error that could not be settled the background has it.
        let is_away = self.leaving.as_ref().is_some_and(Leaving::is_going);
        if is_away { None } else { Some(S::lend(&mut self.kept)) }
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
            (Ok(true), _) => self.set_held(),
            (_, Hold::Wanted) => self.set_free(),
            // It could not be settled: the background goes on.
            (_, Hold::Asked | Hold::Unknown) => self.abandon(),
            (_, Hold::Nothing | Hold::Held) => {}
        }
        answer
    }

    fn abandon(&mut self) {
        self.leave();
    }

    async fn settle(&mut self) -> Result<(), Error> {
        self.settled().await
    }
}

impl<S: AsSession> RawNew<S> for Advisory<S> {
    fn new(session: S, key: Key) -> Self {
        let kept = session.keep();
        let registry = Registry::of(S::client(&kept));
        Self {
            owner: 0,
            registry,
            kept,
            key,
            mode: Mode::Exclusive,
            asked: Mode::Exclusive,
            slice: None,
            hold: Hold::Nothing,
            in_flight: None,
            undoing: None,
            leaving: None,
            ended: false,
            runtime: None,
        }
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
