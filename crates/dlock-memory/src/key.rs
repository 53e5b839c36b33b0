mod conversion;

use dlock_core::KeyError;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

/// What names a lock: text, numbers, pairs of numbers, bytes, whatever names one on some server.
///
/// Numbers are their decimal text here. Of all texts each is a lock of its own, the empty one too: it is the
/// servers that have limits.
///
/// ```
/// use dlock_db::memory::Key;
///
/// assert_eq!(Key::from("invoice:42").to_string(), "invoice:42");
/// assert_eq!(Key::from(42), Key::from(42_u64));
/// assert_eq!(Key::from((7, -1)).as_str(), "(7, -1)");
/// assert_eq!(Key::from(b"\xff").as_str(), "\\xff");
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(Arc<str>);

impl Key {
    /// A text of any length: here the same key as the text itself.
    ///
    /// ```
    /// use dlock_db::memory::Key;
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
    /// use dlock_db::memory::Key;
    ///
    /// let key = Key::convert((3, 14), |(a, b)| a * 100 + b)?;
    /// assert_eq!(key, Key::from(314));
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

    /// Its text.
    ///
    /// ```
    /// assert_eq!(dlock_db::memory::Key::from(42).as_str(), "42");
    /// ```
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A key is text wherever text is asked for: `database.kill(held.key())`.
impl Deref for Key {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl PartialEq<str> for Key {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl PartialEq<&str> for Key {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Key").field(&self.as_str()).finish()
    }
}
