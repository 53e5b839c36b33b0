//! Keys of any text, any bytes and any number: an id that a user may choose, or refused.

use dlock_core::{KeyError, hash64};
use dlock_oracle::Key;
use dlock_testkit::names::{config, names};
use proptest::prelude::{Strategy, any, prop_oneof, proptest};
use std::collections::HashSet;

const IDS: u64 = 1 << 30;

fn judge(number: i128, key: &Result<Key, KeyError>) -> bool {
    match key {
        Ok(key) => i128::from(key.id()) == number && key.to_string() == number.to_string(),
        Err(KeyError::OutOfRange { given, min: 0, max: 1_073_741_823 }) => {
            *given == number && !(0..1 << 30).contains(&number)
        }
        Err(_) => false,
    }
}

/// Any number, and those around the ends of the range.
fn numbers() -> impl Strategy<Value = i64> {
    prop_oneof![any::<i64>(), -2..=2_i64, (1_i64 << 30) - 2..=(1 << 30) + 2]
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn bytes_are_always_an_id(bytes in any::<Vec<u8>>()) {
        let key = Key::from(bytes.as_slice());
        assert_eq!(u64::from(key.id()), hash64(&bytes) % IDS);
        assert_eq!(Key::from(bytes), key);
    }

    #[test]
    fn whatever_the_text_comes_in_it_is_the_same_key(text in names(64)) {
        let key = Key::from(text.as_bytes());
        assert_eq!(Key::from(text.as_str()), key);
        assert_eq!(Key::from(&text), key);
        assert_eq!(Key::from(text.clone()), key);
        assert_eq!(Key::hashed(&text), key);
        assert_eq!(Key::convert(text, |text| text).unwrap(), key);
    }

    #[test]
    fn a_number_is_an_id_or_outside(number in numbers(), large in any::<u64>()) {
        assert!(judge(number.into(), &Key::try_from(number)));
        assert!(judge(large.into(), &Key::try_from(large)));
        if let Ok(number) = i32::try_from(number) {
            assert!(judge(number.into(), &Key::try_from(number)));
        }
        if let Ok(number) = u32::try_from(number) {
            assert!(judge(number.into(), &Key::try_from(number)));
        }
    }
}

/// Who reads a trace knows the lock by its name; who reads `V$LOCK`, by its number.
#[test]
fn a_key_says_its_text_and_its_number() {
    let key = Key::from("invoice:42");
    let id = key.id().to_string();
    for said in [key.to_string(), format!("{key:?}")] {
        assert!(said.contains("invoice:42") && said.contains(&id), "{said}");
    }
    assert_eq!(key.to_string(), format!("invoice:42 ({id})"));
    let (number, bytes) = (Key::try_from(key.id()).unwrap(), Key::from(&[0xff_u8, 0xfe]));
    assert_eq!((number.to_string(), bytes.to_string()), (id, bytes.id().to_string()));
    assert_eq!(number, key);
    assert!(HashSet::from([number]).contains(&key), "one number is one key");
}
