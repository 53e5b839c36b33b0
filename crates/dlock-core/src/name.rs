mod conversion;

use crate::{KeyError, hash256};
use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;

/// What a server takes for the name of a lock.
pub trait Naming {
    /// Whether this text can be one.
    ///
    /// # Errors
    /// What the server would refuse, cut or fold without a word.
    fn check(text: &str) -> Result<(), KeyError>;
}

/// A key that is text, within the limits of `N`.
///
/// Integers are their decimal text and bytes must be UTF-8, as in sqlalchemy-dlock.
pub struct Name<N> {
    text: String,
    naming: PhantomData<fn() -> N>,
}

impl<N> Name<N> {
    /// A text that is known to be within the limits.
    fn known(text: String) -> Self {
        Self { text, naming: PhantomData }
    }

    /// The key of a text of any length and of any characters, whose case counts: the 64 lower-case
    /// hexadecimal digits of its BLAKE2b-256.
    ///
    /// # Examples
    /// ```
    /// # use dlock_db::{Name, Naming};
    /// # fn example<N: Naming>() {
    /// let key = Name::<N>::hashed(&"a name that is too long ".repeat(20));
    /// assert_eq!(key.as_str().len(), 64);
    /// # }
    /// ```
    #[must_use]
    pub fn hashed(text: &str) -> Self {
        Self::known(hash256(text).to_string())
    }

    /// The caller's own mapping from a value to anything that makes a key.
    ///
    /// # Errors
    /// What the conversion of the mapped value says.
    ///
    /// # Examples
    /// ```
    /// # use dlock_db::{KeyError, Name, Naming};
    /// # fn example<N: Naming>() -> Result<(), KeyError> {
    /// let key = Name::<N>::convert((3, 14), |(a, b)| format!("{a}/{b}"))?;
    /// assert_eq!(key.as_str(), "3/14");
    /// # Ok(())
    /// # }
    /// ```
    pub fn convert<V, K>(value: V, mapping: impl FnOnce(V) -> K) -> Result<Self, KeyError>
    where
        K: TryInto<Self, Error: Into<KeyError>>,
    {
        mapping(value).try_into().map_err(Into::into)
    }

    /// The name as the server is told it.
    ///
    /// # Examples
    /// ```
    /// # use dlock_db::{Name, Naming};
    /// # fn example<N: Naming>() {
    /// assert_eq!(Name::<N>::from(42).as_str(), "42");
    /// # }
    /// ```
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl<N> Clone for Name<N> {
    fn clone(&self) -> Self {
        Self::known(self.text.clone())
    }
}

impl<N> PartialEq for Name<N> {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl<N> Eq for Name<N> {}

impl<N> Hash for Name<N> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}

impl<N> fmt::Debug for Name<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Key").field(&self.text).finish()
    }
}

impl<N> fmt::Display for Name<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
