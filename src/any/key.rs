mod conversion;

use super::native::NativeKey;
use dlock_core::KeyError;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// What names a lock on a server of any kind, which takes it or refuses it as its own key would.
///
/// ```
/// use dlock_db::AnyKey;
///
/// assert_eq!(AnyKey::from("invoice:42").to_string(), "invoice:42");
/// assert_eq!(AnyKey::from(42), AnyKey::from(42_i64));
/// ```
#[derive(Clone)]
pub struct AnyKey(pub(crate) Form);

/// A key as it was given, or as its server knows it.
#[derive(Clone)]
pub(crate) enum Form {
    Given(Given),
    Known(Arc<dyn NativeKey>),
}

/// What a key was made of.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Given {
    Text(String),
    /// A text of any length, which its server hashes where it has to.
    Hashed(String),
    Number(i64),
    /// A number of which a server may have no half.
    Natural(u64),
    Pair(i32, i32),
    Bytes(Vec<u8>),
}

impl AnyKey {
    /// A text of any length and of any characters, whose case counts: what `Key::hashed` of the server's driver
    /// makes of it.
    ///
    /// ```
    /// use dlock_db::AnyKey;
    ///
    /// let key = AnyKey::hashed(&"a name that is too long for some servers ".repeat(10));
    /// # drop(key);
    /// ```
    #[must_use]
    pub fn hashed(text: &str) -> Self {
        Given::Hashed(text.to_owned()).into()
    }

    /// The caller's own mapping from a value to anything that makes a key.
    ///
    /// ```
    /// use dlock_db::AnyKey;
    ///
    /// let key = AnyKey::convert((3, 14), |(a, b)| format!("{a}/{b}"))?;
    /// assert_eq!(key, AnyKey::from("3/14"));
    /// # Ok::<(), dlock_db::KeyError>(())
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

    pub(crate) fn known(key: impl NativeKey) -> Self {
        Self(Form::Known(Arc::new(key)))
    }
}

impl PartialEq for AnyKey {
    fn eq(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Form::Given(one), Form::Given(other)) => one == other,
            (Form::Known(one), Form::Known(other)) => one.equals(other.as_ref()),
            _ => false,
        }
    }
}

impl Eq for AnyKey {}

impl Hash for AnyKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match &self.0 {
            Form::Given(given) => given.hash(state),
            Form::Known(key) => key.feed(state),
        }
    }
}

impl fmt::Display for AnyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Form::Given(Given::Text(text) | Given::Hashed(text)) => f.write_str(text),
            Form::Given(Given::Number(number)) => number.fmt(f),
            Form::Given(Given::Natural(number)) => number.fmt(f),
            Form::Given(Given::Pair(one, two)) => write!(f, "({one}, {two})"),
            Form::Given(Given::Bytes(bytes)) => bytes.escape_ascii().fmt(f),
            Form::Known(key) => key.fmt(f),
        }
    }
}

impl fmt::Debug for AnyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AnyKey({self})")
    }
}

impl From<Given> for AnyKey {
    fn from(given: Given) -> Self {
        Self(Form::Given(given))
    }
}
