use dlock_core::{KeyError, Name, Naming};

/// What names a lock: text of 1 to 64 characters, each of at most three bytes in UTF-8.
///
/// These are the limits of MySQL, and within those of MariaDB (192 bytes), so that a key means the
/// same on both. **MySQL folds the case of names** (`Job` and `job` are one lock, and so are `É` and
/// `é`), **MariaDB does not**: where that matters, use [`Key::hashed`]. Integers are their decimal
/// text and bytes must be UTF-8, as in sqlalchemy-dlock.
///
/// ```
/// use dlock_db::mysql::Key;
///
/// assert_eq!(Key::try_from("invoice:42")?.as_str(), "invoice:42");
/// assert_eq!(Key::from(-7).as_str(), "-7");
/// assert!(Key::try_from("").is_err());
/// # Ok::<(), dlock_db::KeyError>(())
/// ```
///
/// ```
/// use dlock_db::mysql::Key;
///
/// let digest = "8928aae63c84d87ea098564d1e03ad813f107add474e56aedd286349c0c03ea4";
/// assert_eq!(Key::hashed("a").as_str(), digest);
/// let key = Key::convert((3, 14), |(a, b)| format!("{a}/{b}"))?;
/// assert_eq!(key.as_str(), "3/14");
/// # Ok::<(), dlock_db::KeyError>(())
/// ```
pub type Key = Name<Limits>;

/// The limits of a [`Key`].
#[derive(Debug)]
pub enum Limits {}

/// <https://dev.mysql.com/doc/refman/8.4/en/locking-functions.html>: "at most 64 characters".
const LONGEST: usize = 64;

impl Naming for Limits {
    fn check(text: &str) -> Result<(), KeyError> {
        if text.is_empty() {
            return Err(KeyError::Empty);
        }
        let given = text.chars().count();
        if given > LONGEST {
            return Err(KeyError::TooLong { given, limit: LONGEST, unit: "characters" });
        }
        // The servers cut a name at NUL, and MySQL refuses what does not fit into three bytes.
        let mut characters = text.chars().enumerate();
        match characters.find(|(_, character)| *character == '\0' || character.len_utf8() > 3) {
            Some((position, character)) => Err(KeyError::Character { character, position }),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Key;
    use dlock_core::KeyError;

    #[test]
    fn length_is_counted_in_characters() {
        assert!(Key::try_from("x".repeat(64)).is_ok());
        assert!(Key::try_from("語".repeat(64)).is_ok());
        let error = Key::try_from("é".repeat(65)).unwrap_err();
        assert!(matches!(error, KeyError::TooLong { given: 65, limit: 64, .. }));
    }

    #[test]
    fn what_the_servers_cannot_take_is_refused() {
        assert!(matches!(Key::try_from(""), Err(KeyError::Empty)));
        let nul = Key::try_from("ab\0c").unwrap_err();
        assert!(matches!(nul, KeyError::Character { character: '\0', position: 2 }));
        let lock = Key::try_from("é🔒").unwrap_err();
        assert!(matches!(lock, KeyError::Character { character: '🔒', position: 1 }));
        assert!(matches!(Key::try_from(b"\xff"), Err(KeyError::NotUtf8(_))));
    }

    #[test]
    fn integers_are_decimal_text() {
        assert_eq!(Key::from(i64::MIN).as_str(), "-9223372036854775808");
        assert_eq!(Key::from(u64::MAX).as_str(), "18446744073709551615");
    }
}
