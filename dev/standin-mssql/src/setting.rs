//! What a session changes of itself, and of other sessions.

use crate::batch::{Batch, OTHER};
use crate::datum::Type;
use crate::engine::DATABASES;
use crate::fault::Fault;
use crate::property::PLAIN;
use crate::syntax::{Setting, Statement};
use crate::token::Change;

impl Batch<'_> {
    pub(crate) fn set(&mut self, setting: &Setting) -> Result<(), Fault> {
        match setting {
            Setting::LockTimeout(value) => {
                let value = self.scope().value(value)?.convert(Type::Int)?.as_integer()?;
                let value = i32::try_from(value.unwrap_or(-1)).unwrap_or(-1);
                self.session.lock_timeout = value.max(-1);
            }
            Setting::XactAbort(on) => self.session.xact_abort = *on,
            Setting::NoCount(on) => self.session.no_count = *on,
            Setting::ImplicitTransactions(on) => self.session.implicit_transactions = *on,
            Setting::Other => {}
        }
        self.done(OTHER, None);
        Ok(())
    }

    pub(crate) fn administer(&mut self, statement: &Statement) -> Result<(), Fault> {
        match statement {
            Statement::Kill(whom) => {
                let whom = self.scope().value(whom)?.as_integer()?.unwrap_or_default();
                self.kill(whom)?;
            }
            Statement::Use(name) => {
                let known = DATABASES.iter().find(|known| known.eq_ignore_ascii_case(name));
                let message = format!(
                    "Database '{name}' does not exist. Make sure that the name is entered correctly."
                );
                let known = known.ok_or_else(|| Fault::new(911, message).ending())?;
                let old = std::mem::replace(&mut self.session.database, known);
                self.answer.change(&Change::Database(known, old));
            }
            _ => {}
        }
        self.done(OTHER, None);
        Ok(())
    }

    fn kill(&self, whom: i64) -> Result<(), Fault> {
        if self.session.user == PLAIN {
            let message = "User does not have permission to use the KILL statement.";
            return Err(Fault::new(6102, message).class(14));
        }
        if whom == i64::from(self.session.id) {
            return Err(Fault::new(6104, "Cannot use KILL to kill your own process."));
        }
        let state = self.engine.state();
        let victim = u16::try_from(whom).ok().and_then(|id| state.sessions.get(&id));
        let message = format!("Process ID {whom} is not an active process ID.");
        let victim = victim.ok_or_else(|| Fault::new(6106, message))?;
        victim.kill.notify_one();
        Ok(())
    }
}
