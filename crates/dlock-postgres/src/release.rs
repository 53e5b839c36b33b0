//! Letting go: by a release, by a drop, and where it is not known whether there is anything to let go of.

use crate::advisory::{Advisory, Hold};
use crate::answer::{ends_session, is_in_failed_transaction, queue};
use crate::halves::Call;
use crate::leaving::{Leaving, Undo};
use crate::session::AsSession;
use crate::{Error, statement};
use std::sync::Arc;
use tokio::runtime::Handle;

impl<S: AsSession> Advisory<S> {
    fn undo(&self) -> Undo {
        let (registry, mode, key) = (Arc::clone(&self.registry), self.asked(), self.number());
        Undo { registry, mode, key, may_roll_back: S::IS_ALONE }
    }

    /// Makes sure that the key is not held by this lock, whatever was asked last.
    pub(crate) async fn let_go(&mut self) -> Result<(), Error> {
        let done = self.undo().done(self.client()).await;
        done.map_err(|error| self.failed(error))?;
        self.set_free();
        Ok(())
    }

    pub(crate) fn set_free(&mut self) {
        self.hold = Hold::Nothing;
        self.registry.free(self.number());
    }

    /// Releases. What an error leaves held is held still.
    pub(crate) async fn unlock_once(&mut self) -> Result<bool, Error> {
        let text = statement::unlock(self.asked(), self.number());
        let unlocked = self.call(Call::Unlock, &text).await;
        match unlocked {
            Ok(released) => {
                self.set_free();
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

    /// The same where nobody can choose any more: a failed transaction is rolled back, if nobody else
    /// speaks over the session.
    pub(crate) async fn unlock_at_last(&mut self) -> Result<bool, Error> {
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

    /// Lets go in the background, of what is held or may be.
    pub(crate) fn leave(&mut self) {
        // The rest of its answer is thrown away; its turn goes on to what stands behind it.
        let turn = self.waiting.take().map(|(_, turn)| turn);
        let undo = self.undo();
        let text = match self.hold {
            Hold::Nothing => return,
            Hold::Wanted => return self.set_free(),
            Hold::Unknown => undo.text(),
            Hold::Held => statement::unlock(self.asked(), self.number()),
        };
        self.hold = Hold::Unknown;
        match queue(self.client(), &text) {
            Ok(sent) => {
                let link = S::link(&self.kept);
                let runtime = Handle::try_current().ok().or(self.runtime.clone());
                self.leaving = Some(Leaving::begin(undo, sent, link, turn, runtime.as_ref()));
            }
            Err(_) => self.set_free(),
        }
    }

    /// Makes sure that what the background began is done.
    pub(crate) async fn settled(&mut self) -> Result<(), Error> {
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
