use super::native::NativeKey;
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
    Number(i64),
    Pair(i32, i32),
    Bytes(Vec<u8>),
}

impl AnyKey {
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
            Form::Known(key) => state.write_u64(key.hashed()),
        }
    }
}

impl fmt::Display for AnyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Form::Given(Given::Text(text)) => f.write_str(text),
            Form::Given(Given::Number(number)) => number.fmt(f),
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

impl From<&str> for AnyKey {
    fn from(text: &str) -> Self {
        Given::Text(text.to_owned()).into()
    }
}

impl From<String> for AnyKey {
    fn from(text: String) -> Self {
        Given::Text(text).into()
    }
}

impl From<&String> for AnyKey {
    fn from(text: &String) -> Self {
        Given::Text(text.clone()).into()
    }
}

impl From<i32> for AnyKey {
    fn from(number: i32) -> Self {
        Given::Number(number.into()).into()
    }
}

impl From<i64> for AnyKey {
    fn from(number: i64) -> Self {
        Given::Number(number).into()
    }
}

impl From<u32> for AnyKey {
    fn from(number: u32) -> Self {
        Given::Number(number.into()).into()
    }
}

impl From<(i32, i32)> for AnyKey {
    fn from((one, two): (i32, i32)) -> Self {
        Given::Pair(one, two).into()
    }
}

impl From<&[u8]> for AnyKey {
    fn from(bytes: &[u8]) -> Self {
        Given::Bytes(bytes.to_owned()).into()
    }
}

impl From<Vec<u8>> for AnyKey {
    fn from(bytes: Vec<u8>) -> Self {
        Given::Bytes(bytes).into()
    }
}
