//! What a key is made of.

use super::{AnyKey, Given};
use std::borrow::Cow;
use std::sync::Arc;

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

impl From<&&str> for AnyKey {
    fn from(text: &&str) -> Self {
        Self::from(*text)
    }
}

impl From<Cow<'_, str>> for AnyKey {
    fn from(text: Cow<'_, str>) -> Self {
        Given::Text(text.into_owned()).into()
    }
}

impl From<Arc<str>> for AnyKey {
    fn from(text: Arc<str>) -> Self {
        Self::from(&*text)
    }
}

impl From<Box<str>> for AnyKey {
    fn from(text: Box<str>) -> Self {
        Given::Text(text.into_string()).into()
    }
}

impl From<&AnyKey> for AnyKey {
    fn from(key: &AnyKey) -> Self {
        key.clone()
    }
}

impl From<i16> for AnyKey {
    fn from(number: i16) -> Self {
        Given::Number(number.into()).into()
    }
}

impl From<i32> for AnyKey {
    fn from(number: i32) -> Self {
        Given::Number(number.into()).into()
    }
}

impl From<u16> for AnyKey {
    fn from(number: u16) -> Self {
        Given::Number(number.into()).into()
    }
}

impl From<u32> for AnyKey {
    fn from(number: u32) -> Self {
        Given::Number(number.into()).into()
    }
}

impl From<i64> for AnyKey {
    fn from(number: i64) -> Self {
        Given::Number(number).into()
    }
}

impl From<u64> for AnyKey {
    fn from(number: u64) -> Self {
        // What is one number on every server is one key here.
        i64::try_from(number).map_or(Given::Natural(number), Given::Number).into()
    }
}

impl From<isize> for AnyKey {
    fn from(number: isize) -> Self {
        i64::try_from(number).expect("at most 64 bits").into()
    }
}

impl From<usize> for AnyKey {
    fn from(number: usize) -> Self {
        u64::try_from(number).expect("at most 64 bits").into()
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

impl<const N: usize> From<&[u8; N]> for AnyKey {
    fn from(bytes: &[u8; N]) -> Self {
        bytes.as_slice().into()
    }
}

impl<const N: usize> From<[u8; N]> for AnyKey {
    fn from(bytes: [u8; N]) -> Self {
        bytes.as_slice().into()
    }
}

/// Its hyphenated form, in lower case, as text.
#[cfg(feature = "uuid")]
impl From<uuid::Uuid> for AnyKey {
    fn from(id: uuid::Uuid) -> Self {
        Given::Text(id.to_string()).into()
    }
}
