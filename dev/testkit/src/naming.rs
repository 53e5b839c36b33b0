//! What a server takes as a name, as properties of its keys.

use crate::names::{config, names};
use dlock_core::{KeyError, Name, Naming, hash256};
use proptest::prelude::any;
use proptest::strategy::Strategy;
use proptest::test_runner::TestRunner;
use std::fmt;

/// What a server takes as a name, told independently of the driver, and put to it at random.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// How long a name may be.
    pub limit: usize,
    /// How its length is counted.
    pub length: fn(&str) -> usize,
    /// Whether it may have this character.
    pub is_fit: fn(char) -> bool,
}

impl Rules {
    /// A text becomes a key, or is refused by the name of the limit.
    ///
    /// # Panics
    /// When it is not so; as all of these do.
    pub fn texts<N: Naming>(self) {
        each(names(self.limit), |text| {
            let key = Name::<N>::try_from(text.as_str());
            assert!(self.judge(&text, &key), "{key:?}");
            if let Err(error @ KeyError::TooLong { .. }) = key {
                assert!(error.to_string().contains(&format!("at most {};", self.limit)));
            }
        });
    }

    /// It is the same key in whatever form the text comes.
    ///
    /// # Panics
    /// When it is not.
    pub fn forms<N: Naming>(self) {
        let said = |key: Result<Name<N>, KeyError>| format!("{key:?}");
        each(names(self.limit), |text| {
            let key = said(Name::try_from(text.as_str()));
            assert_eq!(said(Name::try_from(&text)), key);
            assert_eq!(said(Name::try_from(text.clone())), key);
            assert_eq!(said(Name::try_from(text.as_bytes())), key);
            assert_eq!(said(Name::try_from(text.clone().into_bytes())), key);
            assert_eq!(said(Name::convert(text, |text| text)), key);
        });
    }

    /// Bytes are a text, or refused.
    ///
    /// # Panics
    /// When they are not.
    pub fn bytes<N: Naming>(self) {
        each(any::<Vec<u8>>(), |bytes| {
            let key = Name::<N>::try_from(bytes.as_slice());
            match std::str::from_utf8(&bytes) {
                Ok(text) => assert!(self.judge(text, &key), "{key:?}"),
                Err(error) => assert!(matches!(key, Err(KeyError::NotUtf8(why)) if why == error)),
            }
        });
    }

    /// A hashed text always fits.
    ///
    /// # Panics
    /// When one does not.
    pub fn hashes<N: Naming>(self) {
        each(names(self.limit), |text| {
            let key = Name::<N>::hashed(&text);
            let name = key.as_str();
            assert!(name.len() == 64 && name.bytes().all(|byte| byte.is_ascii_hexdigit()));
            assert_eq!(name, hash256(&text).to_string());
            assert_eq!(Name::<N>::try_from(name).unwrap().as_str(), name);
        });
    }

    /// Integers are what is written.
    ///
    /// # Panics
    /// When they are not.
    pub fn integers<N: Naming>(self) {
        each((any::<i64>(), any::<u64>()), |(small, large)| {
            assert_eq!(Name::<N>::from(small).as_str().parse(), Ok(small));
            assert_eq!(Name::<N>::from(large).as_str().parse(), Ok(large));
            let written = Name::<N>::try_from(small.to_string()).unwrap();
            assert_eq!(written.as_str(), Name::<N>::from(small).as_str());
        });
    }

    /// Whether this is what must become of the text.
    fn judge<N: Naming>(&self, text: &str, key: &Result<Name<N>, KeyError>) -> bool {
        let length = (self.length)(text);
        let unfit = text.chars().enumerate().find(|(_, character)| !(self.is_fit)(*character));
        match key {
            Ok(key) => {
                (1..=self.limit).contains(&length)
                    && unfit.is_none()
                    && key.as_str() == text
                    && key.to_string() == text
            }
            Err(KeyError::Empty) => text.is_empty(),
            Err(KeyError::TooLong { given, limit, .. }) => {
                length > self.limit && (*given, *limit) == (length, self.limit)
            }
            Err(KeyError::Character { character, position }) => {
                length <= self.limit && unfit == Some((*position, *character))
            }
            Err(_) => false,
        }
    }
}

/// A thousand times; a failure shows the shortest case found.
fn each<T: fmt::Debug>(values: impl Strategy<Value = T>, property: impl Fn(T)) {
    let held = TestRunner::new(config()).run(&values, |value| {
        property(value);
        Ok(())
    });
    held.unwrap_or_else(|failure| panic!("{failure}"));
}
