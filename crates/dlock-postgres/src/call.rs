use crate::Mode;
use tokio_postgres::types::Type;

/// A call that answers at once with one boolean.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Call {
    Try,
    Unlock,
}

impl Call {
    /// Adds the statement to a text. `NULL` of a try: this is a standby.
    pub(crate) fn write(self, text: &mut String, mode: Mode, arguments: &str) {
        let (start, end) = match self {
            Call::Try => (
                "SELECT CASE WHEN pg_is_in_recovery() THEN NULL ELSE pg_try_advisory_lock",
                ") END",
            ),
            Call::Unlock => ("SELECT pg_advisory_unlock", ")"),
        };
        text.extend([start, mode.suffix(), "(", arguments, end]);
    }

    /// The statement by itself.
    pub(crate) fn text(self, mode: Mode, arguments: &str) -> String {
        let mut text = String::new();
        self.write(&mut text, mode, arguments);
        text
    }

    /// The statement with parameters, and their types.
    pub(crate) fn template(self, mode: Mode, form: Form) -> (String, &'static [Type]) {
        match form {
            Form::Single => (self.text(mode, "$1"), &[Type::INT8]),
            Form::Pair => (self.text(mode, "$1,$2"), &[Type::INT4, Type::INT4]),
        }
    }
}

/// Which of the two forms a key has.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Form {
    Single,
    Pair,
}
