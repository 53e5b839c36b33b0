use dlock_core::{KeyError, Name, Naming};

/// What names a lock: text of 1 to 255 UTF-16 code units.
///
/// A name is compared bit by bit, so case and trailing blanks count, whatever the collation. It
/// belongs to the database of the session that asks. The server would cut a longer name without a
/// word, so here it is refused, and so is NUL: use [`Key::hashed`]. Integers are their decimal text
/// and bytes must be UTF-8, as in sqlalchemy-dlock.
///
/// ```
/// use dlock_db::mssql::Key;
///
/// assert_eq!(Key::try_from("invoice:42")?.as_str(), "invoice:42");
/// assert_ne!(Key::try_from("job")?, Key::try_from("Job")?);
/// assert_eq!(Key::from(-7).as_str(), "-7");
/// assert!(Key::try_from("").is_err());
/// # Ok::<(), dlock_db::KeyError>(())
/// ```
///
/// ```
/// use dlock_db::mssql::Key;
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

/// `@Resource` is `nvarchar(255)`:
/// <https://learn.microsoft.com/sql/relational-databases/system-stored-procedures/sp-getapplock-transact-sql>.
const LONGEST: usize = 255;

impl Naming for Limits {
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
