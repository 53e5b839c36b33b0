mod conversion;

use dlock_core::KeyError;
use std::fmt;
use std::hash::{Hash, Hasher};

/// How many ids a user may choose from: 0 to 1073741823.
/// <https://docs.oracle.com/en/database/oracle/oracle-database/21/arpls/DBMS_LOCK.html>
const IDS: u32 = 1 << 30;

/// What names a user lock: a number from 0 to 1073741823, the same for the whole database.
///
/// Text and bytes become one by BLAKE2b with an 8-byte digest, read little-endian, modulo 2³⁰: the
/// same lock as in sqlalchemy-dlock. Among n keys the chance that any two collide is about n² / 2³¹:
/// 1 in 2,000 for a thousand keys, 1 in 20 for ten thousand, even for forty thousand. Two names that
/// collide are one lock: they wait for each other, and [`AlreadyHeld`](dlock_core::Error::AlreadyHeld)
/// meets a session that wants both. Where that matters, number the keys yourself. (`DBMS_LOCK` can
/// give out ids by name too, but commits the caller's transaction to do so.)
///
/// ```
/// use dlock_db::oracle::Key;
///
/// let key = Key::from("my-resource-key");
/// assert_eq!(key.id(), 453216416);
/// assert_eq!(key.to_string(), "my-resource-key (453216416)");
/// assert_eq!(Key::try_from(42)?.id(), 42);
/// assert!(Key::try_from(1_i64 << 30).is_err());
/// # Ok::<(), dlock_db::KeyError>(())
/// ```
///
/// A key remembers the text it was made of, for [`Display`](fmt::Display) and [`Debug`]; what is the
/// same number is the same key.
#[derive(Clone, Debug)]
pub struct Key {
    id: u32,
    text: Option<Box<str>>,
}

impl Key {
    /// The number itself.
    ///
    /// # Examples
    /// ```
    /// assert_eq!(dlock_db::oracle::Key::from("my-resource-key").id(), 453216416);
    /// ```
    #[must_use]
    pub fn id(&self) -> u32 {
        self.id
    }

    /// A text of any length: here the same key as the text itself.
    ///
    /// ```
    /// use dlock_db::oracle::Key;
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
    /// use dlock_db::oracle::Key;
    ///
    /// let key = Key::convert((3, 14), |(a, b)| a * 100 + b)?;
    /// assert_eq!(key.id(), 314);
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
}

impl Key {
    /// As the server shows it: also what `ALLOCATE_UNIQUE` gave out, which nobody may choose.
    pub(crate) fn shown(id: u32) -> Self {
        Self { id, text: None }
    }

    /// Another key, which belongs to this one by a label: the same for whoever has the number.
    pub(crate) fn derived(&self, label: &str) -> Self {
        let hashed = Self::from(format!("dlock {label} of {}", self.id));
        // By chance it may be the number itself, which no other key may be.
        let id = if hashed.id == self.id { (hashed.id + 1) % IDS } else { hashed.id };
        Self { id, text: Some(format!("{self} {label}").into()) }
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl Eq for Key {}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.id.hash(state);
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.text {
            Some(text) => write!(f, "{text} ({})", self.id),
            None => write!(f, "{}", self.id),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Key;
    use dlock_core::KeyError;
    use dlock_testkit::vectors::{Input, keys};

    #[test]
    fn text_and_bytes_have_the_ancestors_ids() {
        let mut hashed = 0;
        for vector in keys() {
            let key = match &vector.input {
                Input::Text { text } => Key::from(text),
                Input::Bytes { bytes } => Key::from(bytes.as_slice()),
                Input::Int { .. } => continue,
            };
            assert_eq!(key.id(), vector.oracle, "{:?}", vector.input);
            hashed += 1;
        }
        assert!(hashed > 0);
    }

    /// What the ancestor wraps silently is refused here.
    #[test]
    fn numbers_have_the_ancestors_ids_or_none() {
        for vector in keys() {
            let Input::Int { number } = vector.input else { continue };
            match Key::try_from(number) {
                Ok(key) => assert_eq!(key.id(), vector.oracle),
                Err(_) => assert!(!(0..1 << 30).contains(&number), "{number}"),
            }
        }
    }

    #[test]
    fn numbers_keep_their_value_inside_the_range_and_are_refused_outside() {
        for id in [0, 1, 1_073_741_823] {
            assert_eq!(Key::try_from(i64::from(id)).unwrap().id(), id);
            assert_eq!(Key::try_from(id).unwrap().id(), id);
        }
        for given in [-1, 1_073_741_824, i64::MIN, i64::MAX] {
            let error = Key::try_from(given).unwrap_err();
            assert_eq!(error.to_string(), format!("the key {given} is outside 0..=1073741823"));
        }
        let largest = Key::try_from(u64::MAX);
        assert!(
            matches!(largest, Err(KeyError::OutOfRange { given, .. }) if given == i128::from(u64::MAX))
        );
        assert!(Key::try_from(-1_i32).is_err() && Key::try_from(u32::MAX).is_err());
    }
}
