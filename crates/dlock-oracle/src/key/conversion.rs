//! What a key is made of.

use super::{IDS, Key};
use dlock_core::{KeyError, hash64};
use std::borrow::Cow;
use std::sync::Arc;

fn checked(number: impl Into<i128>) -> Result<Key, KeyError> {
    let (given, max) = (number.into(), i128::from(IDS - 1));
    let id = u32::try_from(given).ok().filter(|id| *id < IDS);
    id.map(|id| Key { id, text: None }).ok_or(KeyError::OutOfRange { given, min: 0, max })
}

impl TryFrom<i64> for Key {
    type Error = KeyError;

    fn try_from(number: i64) -> Result<Self, KeyError> {
        checked(number)
    }
}

impl TryFrom<i32> for Key {
    type Error = KeyError;

    fn try_from(number: i32) -> Result<Self, KeyError> {
        checked(number)
    }
}

impl TryFrom<u32> for Key {
    type Error = KeyError;

    fn try_from(number: u32) -> Result<Self, KeyError> {
        checked(number)
    }
}

impl TryFrom<u64> for Key {
    type Error = KeyError;

    fn try_from(number: u64) -> Result<Self, KeyError> {
        checked(number)
    }
}

impl From<&[u8]> for Key {
    fn from(bytes: &[u8]) -> Self {
        let [a, b, c, d, ..] = hash64(bytes).to_le_bytes();
        let text = str::from_utf8(bytes).ok().map(Box::from);
        Key { id: u32::from_le_bytes([a, b, c, d]) % IDS, text }
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

impl From<&&str> for Key {
    fn from(text: &&str) -> Self {
        Self::from(*text)
    }
}

impl TryFrom<i16> for Key {
    type Error = KeyError;

    fn try_from(number: i16) -> Result<Self, KeyError> {
        checked(number)
    }
}

impl TryFrom<u16> for Key {
    type Error = KeyError;

    fn try_from(number: u16) -> Result<Self, KeyError> {
        checked(number)
    }
}

impl TryFrom<isize> for Key {
    type Error = KeyError;

    fn try_from(number: isize) -> Result<Self, KeyError> {
        i64::try_from(number).map_or_else(|error| Err(KeyError::Mapping(error.into())), checked)
    }
}

impl TryFrom<usize> for Key {
    type Error = KeyError;

    fn try_from(number: usize) -> Result<Self, KeyError> {
        u64::try_from(number).map_or_else(|error| Err(KeyError::Mapping(error.into())), checked)
    }
}

impl From<&Key> for Key {
    fn from(key: &Key) -> Self {
        key.clone()
    }
}

impl<const N: usize> From<[u8; N]> for Key {
    fn from(bytes: [u8; N]) -> Self {
        Self::from(bytes.as_slice())
    }
}

impl From<Cow<'_, str>> for Key {
    fn from(text: Cow<'_, str>) -> Self {
        Self::from(&*text)
    }
}

impl From<Arc<str>> for Key {
    fn from(text: Arc<str>) -> Self {
        Self::from(&*text)
    }
}

impl From<Box<str>> for Key {
    fn from(text: Box<str>) -> Self {
        Self::from(&*text)
    }
}

/// Its hyphenated form, in lower case, as text.
#[cfg(feature = "uuid")]
impl From<uuid::Uuid> for Key {
    fn from(id: uuid::Uuid) -> Self {
        id.to_string().into()
    }
}
