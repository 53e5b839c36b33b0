use dlock_core::{KeyError, hash256};
use std::fmt;

/// What names a lock: text of 1 to 255 UTF-16 code units.
///
/// A name is compared bit by bit, so case and trailing blanks count, whatever the collation. It
/// belongs to the database of the session that asks. The server would cut a longer name without a
/// word, so here it is refused, and so is NUL: use [`Key::hashed`]. Integers are their decimal text
/// and bytes must be UTF-8, as in sqlalchemy-dlock.
///
/// ```
/// use dlock_mssql::Key;
///
/// assert_eq!(Key::try_from("invoice:42")?.as_str(), "invoice:42");
/// assert_ne!(Key::try_from("job")?, Key::try_from("Job")?);
/// assert_eq!(Key::from(-7).as_str(), "-7");
/// assert!(Key::try_from("").is_err());
/// # Ok::<(), dlock_core::KeyError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Key(String);

/// `@Resource` is `nvarchar(255)`:
/// <https://learn.microsoft.com/sql/relational-databases/system-stored-procedures/sp-getapplock-transact-sql>.
const LONGEST: usize = 255;

impl Key {
    /// The key of a text of any length and of any characters: the 64 lower-case hexadecimal digits
    /// of its BLAKE2b-256.
    ///
    /// ```
    /// assert_eq!(
    ///     dlock_mssql::Key::hashed("a").as_str(),
    ///     "8928aae63c84d87ea098564d1e03ad813f107add474e56aedd286349c0c03ea4",
    /// );
    /// ```
    #[must_use]
    pub fn hashed(text: &str) -> Self {
        Self(hash256(text).to_string())
    }

    /// The caller's own mapping from a value to anything that makes a key.
    ///
    /// ```
    /// use dlock_mssql::Key;
    ///
    /// let key = Key::convert((3, 14), |(a, b)| format!("{a}/{b}"))?;
    /// assert_eq!(key.as_str(), "3/14");
    /// # Ok::<(), dlock_core::KeyError>(())
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

    /// The name as the server is told it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn check(text: &str) -> Result<(), KeyError> {
    if text.is_empty() {
        return Err(KeyError::Empty);
    }
    let given = text.encode_utf16().count();
    if given > LONGEST {
        return Err(KeyError::TooLong { given, limit: LONGEST, unit: "UTF-16 code units" });
    }
    match text.chars().position(|character| character == '\0') {
        Some(position) => Err(KeyError::Character { character: '\0', position }),
        None => Ok(()),
    }
}

impl TryFrom<String> for Key {
    type Error = KeyError;

    fn try_from(text: String) -> Result<Self, KeyError> {
        check(&text).map(|()| Self(text))
    }
}

impl TryFrom<&str> for Key {
    type Error = KeyError;

    fn try_from(text: &str) -> Result<Self, KeyError> {
        check(text).map(|()| Self(text.to_owned()))
    }
}

impl TryFrom<&String> for Key {
    type Error = KeyError;

    fn try_from(text: &String) -> Result<Self, KeyError> {
        Self::try_from(text.as_str())
    }
}

impl TryFrom<&[u8]> for Key {
    type Error = KeyError;

    fn try_from(bytes: &[u8]) -> Result<Self, KeyError> {
        Self::try_from(std::str::from_utf8(bytes)?)
    }
}

impl<const N: usize> TryFrom<&[u8; N]> for Key {
    type Error = KeyError;

    fn try_from(bytes: &[u8; N]) -> Result<Self, KeyError> {
        Self::try_from(bytes.as_slice())
    }
}

impl TryFrom<Vec<u8>> for Key {
    type Error = KeyError;

    fn try_from(bytes: Vec<u8>) -> Result<Self, KeyError> {
        Self::try_from(bytes.as_slice())
    }
}

impl From<i32> for Key {
    fn from(number: i32) -> Self {
        Self(number.to_string())
    }
}

impl From<i64> for Key {
    fn from(number: i64) -> Self {
        Self(number.to_string())
    }
}

impl From<u32> for Key {
    fn from(number: u32) -> Self {
        Self(number.to_string())
    }
}

impl From<u64> for Key {
    fn from(number: u64) -> Self {
        Self(number.to_string())
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::Key;
    use dlock_core::KeyError;

    #[test]
    fn length_is_counted_in_utf16_units() {
        assert!(Key::try_from("é".repeat(255)).is_ok());
        assert!(Key::try_from("🔒".repeat(127) + "x").is_ok());
        let error = Key::try_from("🔒".repeat(128)).unwrap_err();
        assert!(matches!(error, KeyError::TooLong { given: 256, limit: 255, .. }));
        let error = Key::try_from("x".repeat(300)).unwrap_err();
        assert!(matches!(error, KeyError::TooLong { given: 300, limit: 255, .. }));
    }

    #[test]
    fn what_the_server_cannot_take_is_refused() {
        assert!(matches!(Key::try_from(""), Err(KeyError::Empty)));
        let nul = Key::try_from("é\0c").unwrap_err();
        assert!(matches!(nul, KeyError::Character { character: '\0', position: 1 }));
        assert!(matches!(Key::try_from(b"\xff"), Err(KeyError::NotUtf8(_))));
    }

    #[test]
    fn integers_are_decimal_text() {
        assert_eq!(Key::from(i64::MIN).as_str(), "-9223372036854775808");
        assert_eq!(Key::from(u64::MAX).as_str(), "18446744073709551615");
    }
}
