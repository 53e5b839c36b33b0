//! What the server says when it cannot do what a statement asks for.

use crate::datum::{Datum, Type};

/// A message of the server; class 10 and below is information.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) number: u32,
    pub(crate) state: u8,
    pub(crate) class: u8,
    pub(crate) message: String,
    pub(crate) procedure: String,
    /// Whether the rest of the batch is given up.
    pub(crate) ends_batch: bool,
}

impl Fault {
    /// An error of class 16 after which the batch goes on.
    pub(crate) fn new(number: u32, message: impl Into<String>) -> Fault {
        Fault {
            number,
            state: 1,
            class: 16,
            message: message.into(),
            procedure: String::new(),
            ends_batch: false,
        }
    }

    /// The same, raised in a procedure.
    pub(crate) fn within(mut self, procedure: &str) -> Fault {
        procedure.clone_into(&mut self.procedure);
        self
    }

    /// The same with this state.
    pub(crate) fn state(mut self, state: u8) -> Fault {
        self.state = state;
        self
    }

    /// The same with this class.
    pub(crate) fn class(mut self, class: u8) -> Fault {
        self.class = class;
        self
    }

    /// The same, ending the batch.
    pub(crate) fn ending(mut self) -> Fault {
        self.ends_batch = true;
        self
    }

    pub(crate) fn syntax(near: &str) -> Fault {
        Fault::new(102, format!("Incorrect syntax near '{near}'.")).class(15).ending()
    }

    pub(crate) fn undeclared(variable: &str) -> Fault {
        Fault::new(137, format!("Must declare the scalar variable \"{variable}\"."))
            .class(15)
            .state(2)
            .ending()
    }

    pub(crate) fn invalid_column(name: &str) -> Fault {
        Fault::new(207, format!("Invalid column name '{name}'.")).ending()
    }

    pub(crate) fn invalid_object(name: &str) -> Fault {
        Fault::new(208, format!("Invalid object name '{name}'.")).ending()
    }

    pub(crate) fn conversion(value: &Datum, to: Type) -> Fault {
        let message = format!(
            "Conversion failed when converting the {} value '{}' to data type {}.",
            value.of_type().name(),
            value.as_text().unwrap_or_default(),
            to.name()
        );
        Fault::new(245, message).ending()
    }

    pub(crate) fn overflow(to: Type) -> Fault {
        let message =
            format!("Arithmetic overflow error converting expression to data type {}.", to.name());
        Fault::new(8115, message).state(2)
    }

    /// What a session that runs something hears when it is killed.
    pub(crate) fn killed() -> Fault {
        let message = "Cannot continue the execution because the session is in the kill state.";
        Fault::new(596, message).class(21).ending()
    }
}
