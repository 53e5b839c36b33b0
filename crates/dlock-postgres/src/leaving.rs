//! Letting go of a key in the background.

use crate::Mode;
use crate::answer::{Native, ends_session, is_in_failed_transaction, is_not_allowed, queue, read};
use crate::key::Number;
use crate::registry::{Claim, Registry};
use crate::session::Link;
use crate::statement::{self, ROLLBACK, TERMINATE};
use std::fmt;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::OwnedSemaphorePermit;
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, SimpleQueryStream};

/// How soon a key that could not be let go of is tried again, at first and at last.
const AGAIN: (Duration, Duration) = (Duration::from_millis(10), Duration::from_secs(1));

/// What is to be let go of.
#[derive(Clone, Debug)]
pub(crate) struct Undo {
    pub(crate) registry: Arc<Registry>,
    pub(crate) mode: Mode,
    pub(crate) key: Number,
    /// Whether the session is the lock's alone: a failed transaction, in which nothing can be let go of,
    /// may be rolled back.
    pub(crate) may_roll_back: bool,
}

/// What comes next in letting go.
enum Next {
    Done,
    Again,
    AgainAfter(&'static str),
}

impl Undo {
    /// The text, for a key that may be held or not.
    pub(crate) fn text(&self) -> String {
        match self.registry.is_blind() {
            true => statement::unlock(self.mode, self.key),
            false => statement::unlock_if_held(self.mode, self.key),
        }
    }

    /// Goes on from this answer to it.
    fn next(&self, answer: Result<(), Native>) -> Result<Next, Native> {
        match answer {
            Ok(()) => Ok(Next::Done),
            Err(error) if ends_session(&error) => Ok(Next::Done),
            Err(error) if is_in_failed_transaction(&error) && self.may_roll_back => {
                Ok(Next::AgainAfter(ROLLBACK))
            }
            // Cancelled from outside, before it was done or after.
            Err(error) if error.code() == Some(&SqlState::QUERY_CANCELED) => Ok(Next::Again),
            Err(error) if is_not_allowed(&error) && !self.registry.is_blind() => {
                self.registry.set_blind();
                Ok(Next::Again)
            }
            Err(error) => Err(error),
        }
    }

    /// Lets go of a key that may be held, and answers when it is not.
    pub(crate) async fn done(&self, client: &Client) -> Result<(), Native> {
        loop {
            match self.next(answer(queue(client, &self.text())).await)? {
                Next::Done => return Ok(()),
                Next::Again => {}
                Next::AgainAfter(first) => drop(queue(client, first)),
            }
        }
    }
}

/// Reads the answer to what was queued.
async fn answer(sent: Result<SimpleQueryStream, Native>) -> Result<(), Native> {
    read(pin!(sent?)).await.map(drop)
}

/// A key that is being let go of in the background.
#[derive(Clone)]
pub(crate) struct Leaving(Arc<Mutex<State>>);

enum State {
    /// Over this link, where there is one that can be kept.
    Going(Option<Link>),
    /// It has left, or the session was taken back.
    Over,
}

impl Leaving {
    /// Goes on from the answer to an unlock that is queued: reads it, and tries again as long as there is
    /// a link. With it the turn of a wait is over that stood in front.
    pub(crate) fn begin(
        undo: Undo,
        answer: SimpleQueryStream,
        link: Option<Link>,
        turn: Option<OwnedSemaphorePermit>,
        runtime: Option<&Handle>,
    ) -> Self {
        let leaving = Self(Arc::new(Mutex::new(State::Going(link))));
        undo.registry.set(undo.key, Claim::Leaving(leaving.clone()));
        let task = Task { leaving: leaving.clone(), undo };
        // Without a runtime, or with one that has ended, it is dropped, and so is the answer.
        if let Some(runtime) = runtime {
            runtime.spawn(task.run(answer, turn));
        }
        leaving
    }

    /// Takes the session back: nothing more is sent over it in the background. Whether the key has left
    /// before.
    pub(crate) fn stop(&self) -> bool {
        matches!(std::mem::replace(&mut *self.state(), State::Over), State::Over)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says something over the session, where there is a link to it.
    fn say(&self, text: &str) -> Option<Result<SimpleQueryStream, Native>> {
        match &*self.state() {
            State::Going(Some(link)) => link.say(text),
            State::Going(None) | State::Over => None,
        }
    }
}

impl fmt::Debug for Leaving {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Leaving")
    }
}

/// The task. One that is dropped with its runtime leaves no connection for a pool to take for clean.
struct Task {
    leaving: Leaving,
    undo: Undo,
}

impl Task {
    async fn run(self, sent: SimpleQueryStream, turn: Option<OwnedSemaphorePermit>) {
        let mut said = answer(Ok(sent)).await;
        drop(turn);
        let mut pause = AGAIN.0;
        loop {
            match self.undo.next(said) {
                Ok(Next::Done) => return self.is_done(),
                Ok(Next::Again) => {}
                Ok(Next::AgainAfter(first)) => drop(self.leaving.say(first)),
                Err(_) => {
                    dlock_core::sleep(pause).await;
                    pause = AGAIN.1.min(pause * 2);
                }
            }
            let Some(sent) = self.leaving.say(&self.undo.text()) else { return };
            said = answer(sent).await;
        }
    }

    fn is_done(&self) {
        let mut state = self.leaving.state();
        if matches!(*state, State::Going(_)) {
            self.undo.registry.free(self.undo.key);
            // The link goes before anybody can see that it has.
            *state = State::Over;
        }
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        match &*self.leaving.state() {
            State::Over => {}
            State::Going(Some(link)) if link.is_pooled() => drop(link.say(TERMINATE)),
            State::Going(_) => self.undo.registry.keep(),
        }
    }
}
