//! What a key is made of.

use super::Key;
use std::borrow::Cow;
use std::sync::Arc;

impl From<&str> for Key {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl From<String> for Key {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl From<&String> for Key {
    fn from(text: &String) -> Self {
        Self(text.as_str().into())
    }
}

impl From<&&str> for Key {
    fn from(text: &&str) -> Self {
        Self::from(*text)
    }
}

impl From<Cow<'_, str>> for Key {
    fn from(text: Cow<'_, str>) -> Self {
        Self(text.into())
    }
}

impl From<Arc<str>> for Key {
    fn from(text: Arc<str>) -> Self {
        Self(text)
    }
}

impl From<Box<str>> for Key {
    fn from(text: Box<str>) -> Self {
        Self(text.into())
    }
}

impl From<&Key> for Key {
    fn from(key: &Key) -> Self {
        key.clone()
    }
}

impl From<i16> for Key {
    fn from(number: i16) -> Self {
        Self(number.to_string().into())
    }
}

impl From<i32> for Key {
    fn from(number: i32) -> Self {
        Self(number.to_string().into())
    }
}

impl From<i64> for Key {
    fn from(number: i64) -> Self {
        Self(number.to_string().into())
    }
}

impl From<isize> for Key {
    fn from(number: isize) -> Self {
        Self(number.to_string().into())
    }
}

impl From<u16> for Key {
    fn from(number: u16) -> Self {
        Self(number.to_string().into())
    }
}

impl From<u32> for Key {
    fn from(number: u32) -> Self {
        Self(number.to_string().into())
    }
}

impl From<u64> for Key {
    fn from(number: u64) -> Self {
        Self(number.to_string().into())
    }
}

impl From<usize> for Key {
    fn from(number: usize) -> Self {
        Self(number.to_string().into())
    }
}

impl From<(i32, i32)> for Key {
    fn from((one, two): (i32, i32)) -> Self {
        Self(format!("({one}, {two})").into())
    }
}

impl From<&[u8]> for Key {
    fn from(bytes: &[u8]) -> Self {
        match str::from_utf8(bytes) {
            Ok(text) => text.into(),
            Err(_) => bytes.escape_ascii().to_string().into(),
        }
    }
}

impl From<Vec<u8>> for Key {
    fn from(bytes: Vec<u8>) -> Self {
        bytes.as_slice().into()
    }
}

impl<const N: usize> From<&[u8; N]> for Key {
    fn from(bytes: &[u8; N]) -> Self {
        bytes.as_slice().into()
    }
}

impl<const N: usize> From<[u8; N]> for Key {
    fn from(bytes: [u8; N]) -> Self {
        bytes.as_slice().into()
    }
}

/// Its hyphenated form, in lower case.
#[cfg(feature = "uuid")]
impl From<uuid::Uuid> for Key {
    fn from(id: uuid::Uuid) -> Self {
        id.to_string().into()
    }
}
