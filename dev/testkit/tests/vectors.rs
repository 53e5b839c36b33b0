//! The hash of core against the golden vectors.

use dlock_core::hash64;
use dlock_testkit::vectors::{Input, keys};

const ORACLE_IDS: u64 = 1 << 30;

#[test]
fn text_and_bytes_hash_as_in_sqlalchemy_dlock() {
    let mut hashed = 0;
    for vector in keys() {
        let hash = match &vector.input {
            Input::Text { text } => hash64(text.as_bytes()),
            Input::Bytes { bytes } => hash64(bytes),
            Input::Int { .. } => continue,
        };
        hashed += 1;
        assert_eq!(hash.cast_signed(), vector.postgres, "{:?}", vector.input);
        assert_eq!(hash % ORACLE_IDS, u64::from(vector.oracle), "{:?}", vector.input);
    }
    assert_eq!(hashed, 25);
}

#[test]
fn integers_stand_for_themselves() {
    let mut numbers = Vec::new();
    for vector in keys() {
        if let Input::Int { number } = vector.input {
            assert_eq!(number, vector.postgres);
            assert_eq!(number.cast_unsigned() % ORACLE_IDS, u64::from(vector.oracle));
            numbers.push(number);
        }
    }
    assert_eq!(numbers.len(), 8);
    assert!(numbers.contains(&i64::MAX) && numbers.contains(&i64::MIN));
}

#[test]
fn the_same_bytes_are_the_same_key_whether_text_or_not() {
    for vector in keys() {
        let Input::Text { text } = &vector.input else { continue };
        for other in keys() {
            if matches!(&other.input, Input::Bytes { bytes } if bytes == text.as_bytes()) {
                assert_eq!((vector.postgres, vector.oracle), (other.postgres, other.oracle));
            }
        }
    }
}
