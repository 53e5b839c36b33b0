//! Letting go of a key in the background.

use crate::Mode;
use crate::answer::{
    Answer, Native, ends_session, is_in_failed_transaction, is_not_allowed, queue, read,
};
use crate::key::Number;
use crate::registry::{Claim, Registry};
use crate::session::Link;
use crate::statement::{self, ROLLBACK, TERMINATE};
use std::future::{Future, poll_fn};
use std::mem;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::OwnedSemaphorePermit;
use tokio_postgres::SimpleQueryStream;
use tokio_postgres::error::SqlState;

/// How soon a key that could not be let go of is tried again, at first and at last.
const AGAIN: (Duration, Duration) = (Duration::from_millis(10), Duration::from_secs(1));

/// An undo that was queued, and the reading of its answer. Whoever takes it over goes on where the last
/// one was: to undo twice would free what the caller took by hand.
pub(crate) type Undoing = Pin<Box<dyn Future<Output = Result<(), Native>> + Send + Sync>>;

/// What is to be let go of.
pub(crate) struct Undo {
    pub(crate) registry: Arc<Registry>,
    pub(crate) mode: Mode,
    pub(crate) key: Number,
    /// The lock that claims the key.
    pub(crate) owner: u64,
    /// Whether the session is the lock's alone: a failed transaction, in which nothing can be let go of,
    /// may be rolled back.
    pub(crate) may_roll_back: bool,
    /// Whether the key was asked for and nothing was answered: then it is not held where that failed.
    pub(crate) was_asked: bool,
}

/// What comes next in letting go.
pub(crate) enum Next {
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

    /// Reads the answer to an undo, and before that the one to what was asked. The turn of a wait is over
    /// then.
    pub(crate) fn answered(
        &self,
        asked: Option<Answer>,
        sent: Result<SimpleQueryStream, Native>,
        turn: Option<OwnedSemaphorePermit>,
    ) -> Undoing {
        let asked = asked.filter(|_| self.was_asked);
        Box::pin(async move {
            let was_refused = match asked {
                Some(mut asked) => read(asked.as_mut()).await.is_err_and(is_refused),
                None => false,
            };
            let said = read(pin!(sent?)).await.map(drop);
            drop(turn);
            if was_refused { Ok(()) } else { said }
        })
    }

    /// Goes on from this answer to it. Where the undo itself failed, and its transaction with it, what was asked
    /// before may have been done.
    pub(crate) fn next(&mut self, answer: Result<(), Native>) -> Result<Next, Native> {
        let was_asked = mem::take(&mut self.was_asked);
        match answer {
            Ok(()) => Ok(Next::Done),
            Err(error) if ends_session(&error) => Ok(Next::Done),
            Err(error) if is_in_failed_transaction(&error) && self.may_roll_back => {
                // Nothing of others' came between: what was asked has failed as well.
                Ok(if was_asked { Next::Done } else { Next::AgainAfter(ROLLBACK) })
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
}

fn is_refused(error: Native) -> bool {
    is_in_failed_transaction(&error)
}

/// A key that is being let go of in the background.
#[derive(Clone)]
pub(crate) struct Leaving {
    pub(crate) mode: Mode,
    state: Arc<Mutex<State>>,
}

pub(crate) enum State {
    Going {
        /// What it goes on over, where that can be kept.
        link: Option<Link>,
        /// `None` between two of them.
        undoing: Option<Undoing>,
        /// Whether none was answered yet.
        is_first: bool,
        /// The task's.
        waker: Waker,
    },
    /// The server has let go.
    Left,
    /// A lock lets go of it, and says what became of that.
    Taken,
}

impl Leaving {
    /// Goes on from an undo that is queued: reads the answer, and tries again as long as there is a link.
    pub(crate) fn begin(
        undo: Undo,
        undoing: Undoing,
        link: Option<Link>,
        runtime: Option<&Handle>,
    ) -> Self {
        let waker = Waker::noop().clone();
        let (undoing, is_first) = (Some(undoing), true);
        let state = Arc::new(Mutex::new(State::Going { link, undoing, is_first, waker }));
        let leaving = Self { mode: undo.mode, state };
        undo.registry.set(undo.key, undo.owner, Claim::Leaving(leaving.clone()));
        let task = Task { leaving: leaving.clone(), undo };
        // Without a runtime, or with one that has ended, it is dropped.
        if let Some(runtime) = runtime {
            runtime.spawn(task.run());
        }
        leaving
    }

    /// Takes the session back: nothing more is sent over it in the background. How far it was.
    pub(crate) fn stop(&self) -> State {
        let mut state = mem::replace(&mut *self.state(), State::Taken);
        if let State::Going { waker, link, .. } = &mut state {
            waker.wake_by_ref();
            *link = None;
        }
        state
    }

    /// Whether the background has the session.
    pub(crate) fn is_going(&self) -> bool {
        matches!(*self.state(), State::Going { .. })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the undo was answered with; `None` once a lock has taken it over.
    fn poll(&self, context: &mut Context<'_>) -> Poll<Option<Result<(), Native>>> {
        match &mut *self.state() {
            State::Going { undoing: undone @ Some(_), is_first, waker, .. } => {
                waker.clone_from(context.waker());
                let said = undone.as_mut().map(|undoing| undoing.as_mut().poll(context));
                let said = ready!(said.unwrap_or(Poll::Pending));
                (*undone, *is_first) = (None, false);
                Poll::Ready(Some(said))
            }
            _ => Poll::Ready(None),
        }
    }

    /// Says the undo once more, behind another statement perhaps. Whether that can be done.
    fn say(&self, before: Option<&str>, undo: &Undo) -> bool {
        let mut state = self.state();
        let State::Going { link: Some(link), undoing, .. } = &mut *state else { return false };
        drop(before.map(|before| link.say(before)));
        let Some(sent) = link.say(&undo.text()) else { return false };
        *undoing = Some(undo.answered(None, sent, None));
        true
    }
}

/// The task. One that is dropped with its runtime leaves no connection for a pool to take for clean.
struct Task {
    leaving: Leaving,
    undo: Undo,
}

impl Task {
    async fn run(mut self) {
        let mut pause = AGAIN.0;
        while let Some(said) = poll_fn(|context| self.leaving.poll(context)).await {
            let before = match self.undo.next(said) {
                Ok(Next::Done) => return self.is_done(),
                Ok(Next::AgainAfter(before)) => Some(before),
                Ok(Next::Again) | Err(_) => {
                    dlock_core::sleep(pause).await;
                    pause = AGAIN.1.min(pause * 2);
                    None
                }
            };
            if !self.leaving.say(before, &self.undo) {
                return;
            }
        }
    }

    fn is_done(&self) {
        let mut state = self.leaving.state();
        if matches!(*state, State::Going { .. }) {
            self.undo.registry.free(self.undo.key, self.undo.owner);
            // The link goes before anybody can see that it has.
            *state = State::Left;
        }
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        let State::Going { link, .. } = &mut *self.leaving.state() else { return };
        match link.take() {
            // It ends with its lock.
            Some(Link::Owned(owned)) => {
                if owned.is_pooled() {
                    drop(queue(owned.client(), TERMINATE));
                }
            }
            Some(Link::Shared(_)) | None => self.undo.registry.keep(),
        }
    }
}
