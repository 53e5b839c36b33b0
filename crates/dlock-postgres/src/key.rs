mod conversion;

use dlock_core::{KeyError, hash64};
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// What names an advisory lock: one 64-bit number, or two 32-bit numbers.
///
/// The two forms are separate key spaces, and both belong to one database. Text and bytes become the
/// 64-bit form by BLAKE2b with an 8-byte digest, read little-endian and signed: the same lock as in
/// sqlalchemy-dlock. Among n keys the chance that any two collide is about n² / 2⁶⁵.
///
/// A key remembers the text it was made of, to be recognized in errors and traces. Keys with the same
/// number are the same key.
///
/// ```
/// use dlock_db::postgres::Key;
///
/// let key = Key::from("my-resource-key");
/// assert_eq!(key, Key::from(-8735762693110921056_i64));
/// assert_eq!(key.to_string(), "my-resource-key (-8735762693110921056)");
/// assert_eq!(Key::from((7, -1)).to_string(), "(7, -1)");
/// ```
#[derive(Clone)]
pub struct Key {
    number: Number,
    text: Option<Arc<str>>,
}

/// The number, or the two, that the server knows a key by.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Number {
    /// A `bigint` key.
    Single(i64),
    /// An `(int, int)` key.
    Pair(i32, i32),
}

impl Key {
    /// A text of any length: here the same key as the text itself.
    ///
    /// ```
    /// use dlock_db::postgres::Key;
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
    /// use dlock_db::postgres::Key;
    ///
    /// let key = Key::convert((3, 14), |(a, b)| a * 100 + b).unwrap();
    /// assert_eq!(key, Key::from(314));
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

    /// Another key, which belongs to this one by a label. It is hashed of the number, so that whoever has the
    /// same key by another name derives the same.
    pub(crate) fn derived(&self, label: &str) -> Self {
        let hashed = format!("dlock {label} of {}", self.number);
        Self::hash_of(hashed.as_bytes(), &format!("{self} {label}"))
    }

    /// What the server knows the key by.
    ///
    /// ```
    /// use dlock_db::postgres::{Key, Number};
    ///
    /// assert_eq!(Key::from(42).number(), Number::Single(42));
    /// ```
    #[must_use]
    pub fn number(&self) -> Number {
        self.number
    }

    fn hash_of(bytes: &[u8], text: &str) -> Self {
        Self { number: Number::Single(hash64(bytes).cast_signed()), text: Some(text.into()) }
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.number == other.number
    }
}

impl Eq for Key {}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.number.hash(state);
    }
}

impl From<Number> for Key {
    fn from(number: Number) -> Self {
        Self { number, text: None }
    }
}

impl From<&Key> for Key {
    fn from(key: &Key) -> Self {
        key.clone()
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Number::Single(number) => write!(f, "{number}"),
            Number::Pair(first, second) => write!(f, "({first}, {second})"),
        }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.text {
            Some(text) => write!(f, "{text} ({})", self.number),
            None => self.number.fmt(f),
        }
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.text {
            Some(text) => write!(f, "Key({text:?}, {})", self.number),
            None => write!(f, "Key({})", self.number),
        }
    }
}
