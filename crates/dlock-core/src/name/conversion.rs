//! What a name is made of.

use super::{Name, Naming};
use crate::KeyError;
use std::borrow::Cow;
use std::sync::Arc;

impl<N: Naming> TryFrom<String> for Name<N> {
    type Error = KeyError;

    fn try_from(text: String) -> Result<Self, KeyError> {
        N::check(&text).map(|()| Self::known(text))
    }
}

impl<N: Naming> TryFrom<&str> for Name<N> {
    type Error = KeyError;

    fn try_from(text: &str) -> Result<Self, KeyError> {
        N::check(text).map(|()| Self::known(text.to_owned()))
    }
}

impl<N: Naming> TryFrom<&String> for Name<N> {
    type Error = KeyError;

    fn try_from(text: &String) -> Result<Self, KeyError> {
        Self::try_from(text.as_str())
    }
}

impl<N: Naming> TryFrom<&&str> for Name<N> {
    type Error = KeyError;

    fn try_from(text: &&str) -> Result<Self, KeyError> {
        Self::try_from(*text)
    }
}

impl<N: Naming> TryFrom<&[u8]> for Name<N> {
    type Error = KeyError;

    fn try_from(bytes: &[u8]) -> Result<Self, KeyError> {
        Self::try_from(std::str::from_utf8(bytes)?)
    }
}

impl<N: Naming, const LENGTH: usize> TryFrom<&[u8; LENGTH]> for Name<N> {
    type Error = KeyError;

    fn try_from(bytes: &[u8; LENGTH]) -> Result<Self, KeyError> {
        Self::try_from(bytes.as_slice())
    }
}

impl<N: Naming> TryFrom<Vec<u8>> for Name<N> {
    type Error = KeyError;

    fn try_from(bytes: Vec<u8>) -> Result<Self, KeyError> {
        Self::try_from(bytes.as_slice())
    }
}

impl<N> From<i32> for Name<N> {
    fn from(number: i32) -> Self {
        Self::known(number.to_string())
    }
}

impl<N> From<i64> for Name<N> {
    fn from(number: i64) -> Self {
        Self::known(number.to_string())
    }
}

impl<N> From<u32> for Name<N> {
    fn from(number: u32) -> Self {
        Self::known(number.to_string())
    }
}

impl<N> From<u64> for Name<N> {
    fn from(number: u64) -> Self {
        Self::known(number.to_string())
    }
}

impl<N: Naming> TryFrom<Cow<'_, str>> for Name<N> {
    type Error = KeyError;

    fn try_from(text: Cow<'_, str>) -> Result<Self, KeyError> {
        Self::try_from(text.into_owned())
    }
}

impl<N: Naming> TryFrom<Arc<str>> for Name<N> {
    type Error = KeyError;

    fn try_from(text: Arc<str>) -> Result<Self, KeyError> {
        Self::try_from(&*text)
    }
}

impl<N: Naming> TryFrom<Box<str>> for Name<N> {
    type Error = KeyError;

    fn try_from(text: Box<str>) -> Result<Self, KeyError> {
        Self::try_from(text.into_string())
    }
}

impl<N: Naming, const LENGTH: usize> TryFrom<[u8; LENGTH]> for Name<N> {
    type Error = KeyError;

    fn try_from(bytes: [u8; LENGTH]) -> Result<Self, KeyError> {
        Self::try_from(bytes.as_slice())
    }
}

impl<N> From<i16> for Name<N> {
    fn from(number: i16) -> Self {
        Self::known(number.to_string())
    }
}

impl<N> From<u16> for Name<N> {
    fn from(number: u16) -> Self {
        Self::known(number.to_string())
    }
}

impl<N> From<isize> for Name<N> {
    fn from(number: isize) -> Self {
        Self::known(number.to_string())
    }
}

impl<N> From<usize> for Name<N> {
    fn from(number: usize) -> Self {
        Self::known(number.to_string())
    }
}

impl<N> From<&Name<N>> for Name<N> {
    fn from(name: &Name<N>) -> Self {
        name.clone()
    }
}

/// Its hyphenated form, in lower case.
#[cfg(feature = "uuid")]
impl<N: Naming> TryFrom<uuid::Uuid> for Name<N> {
    type Error = KeyError;

    fn try_from(id: uuid::Uuid) -> Result<Self, KeyError> {
        Self::try_from(id.to_string())
    }
}
