//! Keys of any text and any bytes: within the limits, or refused by the limit's name.

use dlock_core::{KeyError, hash256};
use dlock_mssql::Key;
use dlock_testkit::names::{config, names};
use proptest::prelude::{any, proptest};

const LIMIT: usize = 255;

/// Whether this is what must become of the text.
fn judge(text: &str, key: &Result<Key, KeyError>) -> bool {
    let length = text.encode_utf16().count();
    match key {
        Ok(key) => {
            (1..=LIMIT).contains(&length)
                && !text.contains('\0')
                && key.as_str() == text
                && key.to_string() == text
        }
        Err(KeyError::Empty) => text.is_empty(),
        Err(KeyError::TooLong { given, limit, .. }) => {
            length > LIMIT && (*given, *limit) == (length, LIMIT)
        }
        Err(KeyError::Character { character: '\0', position }) => {
            length <= LIMIT
                && text.chars().position(|character| character == '\0') == Some(*position)
        }
        Err(_) => false,
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_text_is_a_key_or_the_limit_is_named(text in names(LIMIT)) {
        let key = Key::try_from(text.as_str());
        assert!(judge(&text, &key), "{key:?}");
        if let Err(KeyError::TooLong { .. }) = &key {
            assert!(key.unwrap_err().to_string().contains("at most 255;"));
        }
    }

    #[test]
    fn whatever_the_text_comes_in_it_is_the_same_key(text in names(LIMIT)) {
        let key = format!("{:?}", Key::try_from(text.as_str()));
        assert_eq!(format!("{:?}", Key::try_from(&text)), key);
        assert_eq!(format!("{:?}", Key::try_from(text.clone())), key);
        assert_eq!(format!("{:?}", Key::try_from(text.as_bytes())), key);
        assert_eq!(format!("{:?}", Key::try_from(text.clone().into_bytes())), key);
        assert_eq!(format!("{:?}", Key::convert(text, |text| text)), key);
    }

    #[test]
    fn bytes_are_a_text_or_refused(bytes in any::<Vec<u8>>()) {
        let key = Key::try_from(bytes.as_slice());
        match std::str::from_utf8(&bytes) {
            Ok(text) => assert!(judge(text, &key), "{key:?}"),
            Err(error) => assert!(matches!(key, Err(KeyError::NotUtf8(why)) if why == error)),
        }
    }

    #[test]
    fn a_hashed_text_always_fits(text in names(LIMIT)) {
        let key = Key::hashed(&text);
        assert!(key.as_str().len() == 64 && key.as_str().bytes().all(|b| b.is_ascii_hexdigit()));
        assert_eq!(key.as_str(), hash256(&text).to_string());
        assert_eq!(Key::try_from(key.as_str()).unwrap(), key);
    }

    #[test]
    fn integers_are_what_is_written(small in any::<i64>(), large in any::<u64>()) {
        assert_eq!(Key::from(small).as_str().parse(), Ok(small));
        assert_eq!(Key::from(large).as_str().parse(), Ok(large));
        assert_eq!(Key::try_from(small.to_string()).unwrap(), Key::from(small));
    }
}
