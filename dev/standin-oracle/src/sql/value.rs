//! The values of SQL and PL/SQL, and their types.

use crate::fault::Fault;
use crate::number;

/// A value while a statement runs.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Null,
    Number(f64),
    Text(String),
    Bool(bool),
    /// Seconds since 1970.
    Instant(f64),
    /// Seconds.
    Interval(f64),
}

/// What the compiler knows of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Type {
    /// NULL, or a bind of no known type: fits everywhere.
    Any,
    Number,
    /// A number that is rounded to a whole one when assigned.
    Integer,
    Text,
    Bool,
    Instant,
    Interval,
}

impl Type {
    /// Whether a value of type `from` may be given where `self` is wanted.
    pub(crate) fn accepts(self, from: Self) -> bool {
        use Type::{Any, Integer, Number, Text};
        match (self, from) {
            (Any, _) | (_, Any) => true,
            (Number | Integer | Text, Number | Integer | Text) => true,
            (wanted, given) => wanted == given,
        }
    }

    /// Whether no conversion is needed.
    pub(crate) fn is_same(self, other: Self) -> bool {
        let plain = |kind| if kind == Self::Integer { Self::Number } else { kind };
        self == Self::Any || other == Self::Any || plain(self) == plain(other)
    }

    /// Converts a value on its way into a variable or an argument.
    pub(crate) fn convert(self, value: Value) -> Result<Value, Fault> {
        match (self, value) {
            (_, Value::Null) => Ok(Value::Null),
            (Self::Number, value) => value.number().map(Value::Number),
            (Self::Integer, value) => value.number().map(|number| Value::Number(number.round())),
            (Self::Text, value) => Ok(Value::Text(value.text())),
            (_, value) => Ok(value),
        }
    }
}

impl Value {
    /// The number of a number or of a text that is one.
    pub(crate) fn number(&self) -> Result<f64, Fault> {
        match self {
            Self::Number(number) => Ok(*number),
            Self::Text(text) => text.trim().parse().map_err(|_| not_a_number()),
            _ => Err(not_a_number()),
        }
    }

    pub(crate) fn integer(&self) -> Result<i64, Fault> {
        let number = self.number()?;
        number::to_integer(number).ok_or_else(|| Fault::new(1426, "numeric overflow"))
    }

    pub(crate) fn text(&self) -> String {
        match self {
            Self::Null => String::new(),
            Self::Number(number) => number::to_text(*number),
            Self::Text(text) => text.clone(),
            Self::Bool(flag) => if *flag { "TRUE" } else { "FALSE" }.to_owned(),
            Self::Instant(seconds) | Self::Interval(seconds) => format!("{seconds:.6}"),
        }
    }

    /// The truth of a condition; NULL is not true.
    pub(crate) fn is_true(&self) -> bool {
        *self == Self::Bool(true)
    }

    pub(crate) fn kind(&self) -> Type {
        match self {
            Self::Null => Type::Any,
            Self::Number(_) => Type::Number,
            Self::Text(_) => Type::Text,
            Self::Bool(_) => Type::Bool,
            Self::Instant(_) => Type::Instant,
            Self::Interval(_) => Type::Interval,
        }
    }
}

fn not_a_number() -> Fault {
    Fault::new(6502, "PL/SQL: numeric or value error: character to number conversion error")
}
