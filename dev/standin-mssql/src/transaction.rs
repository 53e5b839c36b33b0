//! Transactions: their beginning, their end, and what the client is told of it.

use crate::batch::Batch;
use crate::fault::Fault;
use crate::locks::Scope;
use crate::session::Savepoint;
use crate::token::Change;

pub(crate) const BEGIN: u16 = 212;
pub(crate) const COMMIT: u16 = 213;
pub(crate) const ROLLBACK: u16 = 210;

impl Batch<'_> {
    pub(crate) fn begin(&mut self) {
        self.session.transactions += 1;
        if self.session.transactions == 1 {
            self.session.descriptor = self.engine.descriptor();
            self.answer.change(&Change::Begun(self.session.descriptor));
        }
    }

    pub(crate) fn commit(&mut self) -> Result<(), Fault> {
        match self.session.transactions {
            0 => {
                let message =
                    "The COMMIT TRANSACTION request has no corresponding BEGIN TRANSACTION.";
                Err(Fault::new(3902, message))
            }
            _ if self.session.doomed => {
                let message = "The current transaction cannot be committed and cannot support operations that write to the log file. Roll back the transaction.";
                Err(Fault::new(3930, message))
            }
            1 => {
                self.session.undo.clear();
                let ended = self.end();
                self.answer.change(&Change::Committed(ended));
                Ok(())
            }
            _ => {
                self.session.transactions -= 1;
                Ok(())
            }
        }
    }

    /// Rolls back to a savepoint, or all of it.
    pub(crate) fn rollback(&mut self, to: Option<&str>) -> Result<(), Fault> {
        if self.session.transactions == 0 {
            let message =
                "The ROLLBACK TRANSACTION request has no corresponding BEGIN TRANSACTION.";
            return Err(Fault::new(3903, message));
        }
        let Some(name) = to else {
            self.undo_from(0);
            let ended = self.end();
            self.answer.change(&Change::RolledBack(ended));
            return Ok(());
        };
        let savepoints = &mut self.session.savepoints;
        let Some(place) = savepoints.iter().rposition(|one| one.name == name) else {
            let message = format!(
                "Cannot roll back {name}. No transaction or savepoint of that name was found."
            );
            return Err(Fault::new(6401, message));
        };
        let (undo, ticket) = (savepoints[place].undo, savepoints[place].ticket);
        savepoints.truncate(place + 1);
        self.undo_from(undo);
        self.engine.state().locks.roll_back(self.session.id, ticket);
        Ok(())
    }

    pub(crate) fn save(&mut self, name: &str) -> Result<(), Fault> {
        if self.session.transactions == 0 {
            let message = "Cannot issue SAVE TRANSACTION when there is no active transaction.";
            return Err(Fault::new(628, message));
        }
        let (undo, ticket) = (self.session.undo.len(), self.engine.state().locks.latest());
        self.session.savepoints.push(Savepoint { name: name.to_owned(), undo, ticket });
        Ok(())
    }

    fn undo_from(&mut self, length: usize) {
        let undo = self.session.undo.split_off(length);
        self.engine.state().restore(undo.into_iter());
    }

    /// Frees what ends with the transaction; gives the descriptor that it had.
    fn end(&mut self) -> u64 {
        let session = &mut *self.session;
        session.transactions = 0;
        session.doomed = false;
        session.savepoints.clear();
        self.engine.state().locks.end(session.id, Scope::Transaction);
        std::mem::take(&mut session.descriptor)
    }
}
