//! PRINT, RAISERROR and THROW.

use crate::batch::{Batch, OTHER};
use crate::datum::Datum;
use crate::fault::Fault;
use crate::syntax::{Expression, Statement};

impl Batch<'_> {
    pub(crate) fn say(&mut self, statement: &Statement) -> Result<(), Fault> {
        match statement {
            Statement::Throw(None) => Err(self.again()),
            Statement::Throw(Some((number, message, state))) => {
                let number = self.scope().value(number)?.as_integer()?.unwrap_or_default();
                let number = u32::try_from(number).unwrap_or(50000);
                let fault = Fault::new(number, self.shown(message)?);
                Err(fault.state(self.small(state)?).ending())
            }
            Statement::Raise(message, class, state) => {
                let fault = Fault::new(50000, self.shown(message)?);
                self.announce(fault.class(self.small(class)?).state(self.small(state)?))
            }
            Statement::Print(value) => {
                let fault = Fault::new(0, self.shown(value)?);
                self.announce(fault.class(0))
            }
            _ => Ok(()),
        }
    }

    /// What was caught, to be raised once more.
    fn again(&self) -> Fault {
        let message = "To rethrow an error, a THROW statement must be used inside a CATCH block. Insert the THROW statement inside a CATCH block, or add error parameters to the THROW statement.";
        let caught = self.caught.last().cloned();
        caught.unwrap_or_else(|| Fault::new(10704, message)).ending()
    }

    fn shown(&self, value: &Expression) -> Result<String, Fault> {
        Ok(self.scope().value(value)?.as_text().unwrap_or_default())
    }

    fn small(&self, value: &Expression) -> Result<u8, Fault> {
        small(&self.scope().value(value)?)
    }

    /// Information goes into the answer, an error comes back.
    fn announce(&mut self, fault: Fault) -> Result<(), Fault> {
        if fault.class > 10 {
            return Err(fault);
        }
        self.answer.fault(&fault);
        self.done(OTHER, None);
        Ok(())
    }
}

fn small(value: &Datum) -> Result<u8, Fault> {
    let value = value.as_integer()?.unwrap_or_default();
    Ok(u8::try_from(value.clamp(0, 255)).unwrap_or_default())
}
