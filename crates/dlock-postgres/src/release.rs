//! Letting go: by a release, by a drop, and where it is not known whether there is anything to let go of.

use crate::advisory::{Advisory, Hold};
use crate::answer::{Native, ends_session, is_in_failed_transaction, queue};
use crate::halves::{Call, is_gone};
use crate::leaving::{Leaving, Next, State, Undo, Undoing};
use crate::registry::Claim;
use crate::session::AsSession;
use crate::{Error, statement};
use dlock_core::RawUnlock;
use std::future::{Future, poll_fn};
use std::mem;
use std::pin::pin;
use std::sync::Arc;
use tokio::runtime::Handle;

impl<S: AsSession> RawUnlock for Advisory<S> {
    /// Releases. What an error leaves held is held still.
    async fn unlock(&mut self) -> Result<bool, Error> {
        let failure = match self.say_unlock().await {
            Ok(released) => return Ok(released),
            Err(error) if ends_session(&error) || is_in_failed_transaction(&error) => {
                self.failed(error)
            }
            // Cancelled from outside: it may have been done before.
            Err(_) => match self.let_go().await {
                Ok(()) => return Ok(true),
                Err(error) => error,
            },
        };
        self.set_held();
        if self.hold == Hold::Held { Err(failure) } else { Ok(false) }
    }

    /// The same where nobody can choose any more: a failed transaction is rolled back, if nobody else
    /// speaks over the session.
    async fn unlock_scope(&mut self) -> Result<bool, Error> {
        let unlocked = self.unlock().await;
        match unlocked {
            Err(Error::Driver(error)) if S::IS_ALONE && is_in_failed_transaction(&error) => {
                let rolled_back = self.ask(statement::ROLLBACK).await;
                rolled_back.map_err(|error| self.failed(error))?;
                self.unlock().await
            }
            unlocked => unlocked,
        }
    }
}

impl<S: AsSession> Advisory<S> {
    fn undo(&self) -> Undo {
        let (registry, mode, key) = (Arc::clone(&self.registry), self.asked, self.number());
        let (owner, was_asked) = (self.owner, self.hold == Hold::Asked);
        Undo { registry, mode, key, owner, may_roll_back: S::IS_ALONE, was_asked }
    }

    /// Makes sure that the key is not held by this lock, whatever was asked last.
    pub(crate) async fn let_go(&mut self) -> Result<(), Error> {
        let mut undo = self.undo();
        loop {
            let sent = |client| undo.answered(None, queue(client, &undo.text()), None);
            if self.undoing.is_none() {
                let client = S::client(&self.kept);
                self.undoing = undo.registry.as_owner(undo.key, undo.owner, || sent(client));
            }
            // Otherwise another lock sees to it.
            let Some(undoing) = &mut self.undoing else { break };
            let said = undoing.await;
            // An undo that failed has its transaction fail, behind what was asked.
            (self.undoing, self.hold) = (None, Hold::Unknown);
            match undo.next(said).map_err(|error| self.failed(error))? {
                Next::Done => break,
                Next::Again => {}
                Next::AgainAfter(before) => drop(queue(self.client(), before)),
            }
        }
        self.set_free();
        Ok(())
    }

    pub(crate) fn set_held(&mut self) {
        let is_ours = self.registry.set(self.number(), self.owner, Claim::Held);
        self.hold = if is_ours { Hold::Held } else { Hold::Nothing };
    }

    pub(crate) fn set_free(&mut self) {
        (self.hold, self.undoing) = (Hold::Nothing, None);
        self.registry.free(self.number(), self.owner);
    }

    /// Whether the key was this lock's, and is free now. It claims the key meanwhile: no other lock does.
    async fn say_unlock(&mut self) -> Result<bool, Native> {
        while self.registry.set(self.number(), self.owner, Claim::Wanted) {
            match self.queue_unlock().await {
                Err(error) if is_gone(&error) => {}
                released => {
                    let released = released?;
                    self.set_free();
                    return Ok(released == Some(true));
                }
            }
        }
        self.hold = Hold::Nothing;
        Ok(false)
    }

    /// From when it is queued on, others may claim the key: what they say comes behind it.
    async fn queue_unlock(&mut self) -> Result<Option<bool>, Native> {
        let (registry, key, owner) = (Arc::clone(&self.registry), self.number(), self.owner);
        let text = statement::unlock(self.asked, key);
        let mut call = pin!(self.call(Call::Unlock, &text));
        let mut is_queued = false;
        poll_fn(|context| {
            let answer = call.as_mut().poll(context);
            if !mem::replace(&mut is_queued, true) {
                registry.set(key, owner, Claim::Held);
            }
            answer
        })
        .await
    }

    /// Lets go in the background, of what is held or may be.
    pub(crate) fn leave(&mut self) {
        let (asked, turn) = self.in_flight.take().unzip();
        let undo = self.undo();
        let text = match self.hold {
            _ if self.leaving.is_some() => return,
            Hold::Nothing => return,
            _ if self.client().is_closed() => return self.set_free(),
            _ if !self.registry.set(self.number(), self.owner, Claim::Wanted) => {
                // Another lock sees to it.
                (self.hold, self.undoing) = (Hold::Nothing, None);
                return;
            }
            Hold::Wanted => return self.set_free(),
            Hold::Asked | Hold::Unknown => undo.text(),
            Hold::Held => statement::unlock(self.asked, self.number()),
        };
        if self.hold == Hold::Held {
            self.hold = Hold::Unknown;
        }
        let undoing = self
            .undoing
            .take()
            .unwrap_or_else(|| undo.answered(asked, queue(self.client(), &text), turn.flatten()));
        self.go_on_with(undo, undoing);
    }

    /// Hands an undo to the background.
    fn go_on_with(&mut self, undo: Undo, undoing: Undoing) {
        if let Some(session) = S::halves(&self.kept) {
            // A future that was forgotten may be the one that is woken, and drives no more.
            session.hand_over();
        }
        let link = S::link(&self.kept);
        let runtime = Handle::try_current().ok().or(self.runtime.clone());
        self.leaving = Some(Leaving::begin(undo, undoing, link, runtime.as_ref()));
    }

    /// Makes sure that what the background began is done.
    pub(crate) async fn settled(&mut self) -> Result<(), Error> {
        match self.leaving.take().map(|leaving| leaving.stop()) {
            _ if self.hold == Hold::Nothing => {}
            Some(State::Left) => self.hold = Hold::Nothing,
            Some(State::Taken) => match self.registry.claim_leaving(self.number(), self.owner) {
                Some(leaving) => self.take_over(&leaving).await?,
                None => self.hold = Hold::Nothing,
            },
            Some(State::Going { undoing, is_first, .. }) => {
                if !is_first {
                    self.hold = Hold::Unknown;
                }
                self.finish(undoing).await?;
            }
            None => self.finish(None).await?,
        }
        Ok(())
    }

    /// Lets go of what another lock left, whose claim was taken over.
    pub(crate) async fn take_over(&mut self, leaving: &Leaving) -> Result<(), Error> {
        (self.hold, self.asked) = (Hold::Unknown, leaving.mode);
        match leaving.stop() {
            State::Going { undoing, .. } => self.finish(undoing).await,
            State::Left | State::Taken => self.finish(None).await,
        }
    }

    async fn finish(&mut self, undoing: Option<Undoing>) -> Result<(), Error> {
        self.undoing = undoing;
        Resuming(self).0.let_go().await
    }
}

/// Leaves it to the background where a call that lets go fails, or is dropped.
struct Resuming<'a, S: AsSession>(&'a mut Advisory<S>);

impl<S: AsSession> Drop for Resuming<'_, S> {
    fn drop(&mut self) {
        self.0.leave();
    }
}
