//! Keys: the golden vectors, and the ends of what can be told apart.

use dlock_core::{KeyError, hash64};
use dlock_postgres::Key;
use dlock_testkit::names::{config, names};
use dlock_testkit::vectors::{Input, keys};
use proptest::prelude::{any, proptest};

#[test]
fn the_golden_vectors() {
    for vector in keys() {
        let key = match &vector.input {
            Input::Text { text } => Key::from(text),
            Input::Bytes { bytes } => Key::from(bytes.clone()),
            Input::Int { number } => Key::from(*number),
        };
        assert_eq!(key, Key::from(vector.postgres), "{:?}", vector.input);
        assert_eq!(key.number().to_string(), vector.postgres.to_string());
    }
    assert_eq!(keys().len(), 33);
}

#[test]
fn a_hashed_text_is_the_text() {
    for vector in keys() {
        if let Input::Text { text } = &vector.input {
            assert_eq!(Key::hashed(text), Key::from(text.as_str()));
            assert_eq!(Key::from(text.clone()), Key::from(text.as_bytes()));
        }
    }
}

#[test]
fn every_kind_of_integer() {
    assert_eq!(Key::from(i32::MIN), Key::from(-2_147_483_648));
    assert_eq!(Key::from(u32::MAX), Key::from(4_294_967_295_i64));
    assert_eq!(Key::from(i64::MIN).to_string(), "-9223372036854775808");
    assert_eq!(Key::try_from(0_u64).unwrap(), Key::from(0));
    assert_eq!(Key::try_from(i64::MAX.cast_unsigned()).unwrap(), Key::from(i64::MAX));
}

#[test]
fn integers_beyond_bigint_are_refused() {
    for given in [i64::MAX.cast_unsigned() + 1, u64::MAX] {
        let Err(KeyError::OutOfRange { given: seen, min, max }) = Key::try_from(given) else {
            panic!("{given} is out of range");
        };
        assert_eq!((seen, min, max), (given.into(), i64::MIN.into(), i64::MAX.into()));
    }
}

#[test]
fn pairs_are_keys_of_their_own() {
    assert_eq!(Key::from((i32::MIN, i32::MAX)).to_string(), "(-2147483648, 2147483647)");
    assert_ne!(Key::from((0, 1)), Key::from(1));
    assert_ne!(Key::from((0, 1)), Key::from((1, 0)));
}

#[test]
fn a_mapping_of_the_callers_own() {
    assert_eq!(Key::convert((3, 14), |(a, b)| a * 100 + b).unwrap(), Key::from(314));
    let failed = Key::convert(u64::MAX, |number| number);
    assert!(matches!(failed, Err(KeyError::OutOfRange { .. })));
    assert_eq!(
        Key::convert(("job", 7), |(name, n)| format!("{name}:{n}")).unwrap(),
        "job:7".into()
    );
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn bytes_are_always_a_number(bytes in any::<Vec<u8>>()) {
        let number = hash64(&bytes).cast_signed();
        assert_eq!(Key::from(bytes.as_slice()), Key::from(number));
        assert_eq!(Key::from(bytes), Key::from(number));
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
    fn a_number_is_itself_or_outside(number in any::<i64>(), large in any::<u64>()) {
        assert_eq!(Key::from(number).to_string().parse(), Ok(number));
        match Key::try_from(large) {
            Ok(key) => assert_eq!(key.to_string().parse(), Ok(large)),
            Err(error) => {
                assert!(large > i64::MAX.cast_unsigned());
                assert!(error.to_string().contains(&large.to_string()));
            }
        }
    }
}
