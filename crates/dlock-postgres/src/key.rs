use crate::call::Form;
use dlock_core::{KeyError, hash64};
use itoa::Buffer;
use std::fmt;

/// What names an advisory lock: one 64-bit number, or two 32-bit numbers.
///
/// The two forms are separate key spaces, and both belong to one database. Text and bytes become the
/// 64-bit form by BLAKE2b with an 8-byte digest, read little-endian and signed: the same lock as in
/// sqlalchemy-dlock. Among n keys the chance that any two collide is about n² / 2⁶⁵.
///
/// ```
/// use dlock_postgres::Key;
///
/// assert_eq!(Key::from("my-resource-key"), Key::Single(-8735762693110921056));
/// assert_eq!(Key::from(42), Key::Single(42));
/// assert_eq!(Key::from((7, -1)), Key::Pair(7, -1));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Key {
    /// A `bigint` key.
    Single(i64),
    /// An `(int, int)` key.
    Pair(i32, i32),
}

impl Key {
    /// A text of any length: here the same key as the text itself.
    ///
    /// ```
    /// use dlock_postgres::Key;
    ///
    /// assert_eq!(Key::hashed("invoice:42"), Key::from("invoice:42"));
    /// ```
    #[must_use]
    pub fn hashed(text: &str) -> Self {
        Self::from(text)
    }

    /// The caller's own mapping from a value to anything that makes a key.
    ///
    /// ```
    /// use dlock_postgres::Key;
    ///
    /// let key = Key::convert((3, 14), |(a, b)| a * 100 + b).unwrap();
    /// assert_eq!(key, Key::Single(314));
    /// ```
    ///
    /// # Errors
    /// What the conversion of the mapped value says.
    pub fn convert<V, K>(value: V, mapping: impl FnOnce(V) -> K) -> Result<Self, KeyError>
    where
        K: TryInto<Self, Error: Into<KeyError>>,
    {
        mapping(value).try_into().map_err(Into::into)
    }

    /// The arguments of the lock functions, as typed literals. A bare literal beyond `bigint`'s
    /// positive half would be `numeric`, hence the type and the quotes.
    pub(crate) fn arguments(self) -> String {
        match self {
            Key::Single(number) => ["int8'", Buffer::new().format(number), "'"].concat(),
            Key::Pair(first, second) => {
                ["int4'", Buffer::new().format(first), "',int4'", Buffer::new().format(second), "'"]
                    .concat()
            }
        }
    }

    pub(crate) fn form(self) -> Form {
        match self {
            Key::Single(_) => Form::Single,
            Key::Pair(..) => Form::Pair,
        }
    }

    /// Which rows of `pg_locks` are this key, held by the session that asks.
    pub(crate) fn held(self) -> Held {
        Held(self)
    }
}

impl From<i64> for Key {
    fn from(number: i64) -> Self {
        Key::Single(number)
    }
}

impl From<i32> for Key {
    fn from(number: i32) -> Self {
        Key::Single(number.into())
    }
}

impl From<u32> for Key {
    fn from(number: u32) -> Self {
        Key::Single(number.into())
    }
}

impl TryFrom<u64> for Key {
    type Error = KeyError;

    fn try_from(number: u64) -> Result<Self, KeyError> {
        i64::try_from(number).map(Key::Single).map_err(|_| KeyError::OutOfRange {
            given: number.into(),
            min: i64::MIN.into(),
            max: i64::MAX.into(),
        })
    }
}

impl From<(i32, i32)> for Key {
    fn from((first, second): (i32, i32)) -> Self {
        Key::Pair(first, second)
    }
}

impl From<&[u8]> for Key {
    fn from(bytes: &[u8]) -> Self {
        Key::Single(hash64(bytes).cast_signed())
    }
}

impl<const N: usize> From<&[u8; N]> for Key {
    fn from(bytes: &[u8; N]) -> Self {
        Self::from(bytes.as_slice())
    }
}

impl From<Vec<u8>> for Key {
    fn from(bytes: Vec<u8>) -> Self {
        Self::from(bytes.as_slice())
    }
}

impl From<&str> for Key {
    fn from(text: &str) -> Self {
        Self::from(text.as_bytes())
    }
}

impl From<String> for Key {
    fn from(text: String) -> Self {
        Self::from(text.as_str())
    }
}

impl From<&String> for Key {
    fn from(text: &String) -> Self {
        Self::from(text.as_str())
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Key::Single(number) => write!(f, "{number}"),
            Key::Pair(first, second) => write!(f, "({first}, {second})"),
        }
    }
}

/// <https://www.postgresql.org/docs/current/view-pg-locks.html> says how keys are shown.
pub(crate) struct Held(Key);

impl fmt::Display for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (class, object, form) = match self.0 {
            Key::Single(number) => {
                let bits = number.cast_unsigned();
                (bits >> 32, bits & 0xffff_ffff, 1)
            }
            Key::Pair(first, second) => {
                (first.cast_unsigned().into(), second.cast_unsigned().into(), 2)
            }
        };
        write!(
            f,
            "EXISTS(SELECT FROM pg_locks WHERE locktype='advisory' AND pid=pg_backend_pid() \
             AND granted AND classid={class} AND objid={object} AND objsubid={form})"
        )
    }
}
