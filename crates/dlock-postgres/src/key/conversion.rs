//! What a key is made of.

use super::{Key, Number};
use dlock_core::KeyError;
use std::borrow::Cow;
use std::sync::Arc;

impl From<i64> for Key {
    fn from(number: i64) -> Self {
        Number::Single(number).into()
    }
}

impl From<i32> for Key {
    fn from(number: i32) -> Self {
        i64::from(number).into()
    }
}

impl From<u32> for Key {
    fn from(number: u32) -> Self {
        i64::from(number).into()
    }
}

impl From<i16> for Key {
    fn from(number: i16) -> Self {
        i64::from(number).into()
    }
}

impl From<u16> for Key {
    fn from(number: u16) -> Self {
        i64::from(number).into()
    }
}

impl TryFrom<u64> for Key {
    type Error = KeyError;

    fn try_from(number: u64) -> Result<Self, KeyError> {
        i64::try_from(number).map(Self::from).map_err(|_| KeyError::OutOfRange {
            given: number.into(),
            min: i64::MIN.into(),
            max: i64::MAX.into(),
        })
    }
}

/// Within 64 bits on each platform there is.
impl TryFrom<usize> for Key {
    type Error = KeyError;

    fn try_from(number: usize) -> Result<Self, KeyError> {
        u64::try_from(number)
            .map_or_else(|error| Err(KeyError::Mapping(error.into())), Self::try_from)
    }
}

impl TryFrom<isize> for Key {
    type Error = KeyError;

    fn try_from(number: isize) -> Result<Self, KeyError> {
        i64::try_from(number)
            .map_or_else(|error| Err(KeyError::Mapping(error.into())), |it| Ok(it.into()))
    }
}

impl From<(i32, i32)> for Key {
    fn from((first, second): (i32, i32)) -> Self {
        Number::Pair(first, second).into()
    }
}

impl From<&[u8]> for Key {
    fn from(bytes: &[u8]) -> Self {
        match std::str::from_utf8(bytes) {
            Ok(text) => text.into(),
            Err(_) => Self::hash_of(bytes, &bytes.escape_ascii().to_string()),
        }
    }
}

impl<const N: usize> From<&[u8; N]> for Key {
    fn from(bytes: &[u8; N]) -> Self {
        bytes.as_slice().into()
    }
}

impl From<Vec<u8>> for Key {
    fn from(bytes: Vec<u8>) -> Self {
        bytes.as_slice().into()
    }
}

impl From<&str> for Key {
    fn from(text: &str) -> Self {
        Self::hash_of(text.as_bytes(), text)
    }
}

impl From<String> for Key {
    fn from(text: String) -> Self {
        text.as_str().into()
    }
}

impl From<&String> for Key {
    fn from(text: &String) -> Self {
        text.as_str().into()
    }
}

impl From<&&str> for Key {
    fn from(text: &&str) -> Self {
        Self::from(*text)
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
