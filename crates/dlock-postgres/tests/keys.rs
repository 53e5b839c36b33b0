//! Keys: the golden vectors, and the ends of what can be told apart.

use dlock_core::KeyError;
use dlock_postgres::Key;
use dlock_testkit::vectors::{Input, keys};

#[test]
fn the_golden_vectors() {
    for vector in keys() {
        let key = match &vector.input {
            Input::Text { text } => Key::from(text),
            Input::Bytes { bytes } => Key::from(bytes.clone()),
            Input::Int { number } => Key::from(*number),
        };
        assert_eq!(key, Key::Single(vector.postgres), "{:?}", vector.input);
        assert_eq!(key.to_string(), vector.postgres.to_string());
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
    assert_eq!(Key::from(i32::MIN), Key::Single(-2_147_483_648));
    assert_eq!(Key::from(u32::MAX), Key::Single(4_294_967_295));
    assert_eq!(Key::from(i64::MIN).to_string(), "-9223372036854775808");
    assert_eq!(Key::try_from(0_u64).unwrap(), Key::Single(0));
    assert_eq!(Key::try_from(i64::MAX.cast_unsigned()).unwrap(), Key::Single(i64::MAX));
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
    assert_eq!(Key::convert((3, 14), |(a, b)| a * 100 + b).unwrap(), Key::Single(314));
    let failed = Key::convert(u64::MAX, |number| number);
    assert!(matches!(failed, Err(KeyError::OutOfRange { .. })));
    assert_eq!(
        Key::convert(("job", 7), |(name, n)| format!("{name}:{n}")).unwrap(),
        "job:7".into()
    );
}
