//! Any bytes as a key of every driver: one within the server's limits, or an error that shows.

#![no_main]

use dlock_core::{KeyError, hash64, hash256};
use libfuzzer_sys::fuzz_target;
use std::fmt::{Debug, Display};

fuzz_target!(|data: &[u8]| {
    postgres(data);
    oracle(data);
    names(data);
    if let Some(number) = data.first_chunk() {
        numbers(i64::from_le_bytes(*number));
    }
});

fn shown<T: Debug + Display>(value: &T) {
    assert!(!format!("{value:?}").is_empty() && !value.to_string().is_empty());
}

fn postgres(data: &[u8]) {
    use dlock_postgres::Key;
    let key = Key::from(data);
    assert_eq!(key, Key::Single(hash64(data).cast_signed()));
    assert_eq!(key, Key::convert(data.to_vec(), |data| data).unwrap());
    shown(&key);
    if let Ok(text) = str::from_utf8(data) {
        assert!(Key::from(text) == key && Key::hashed(text) == key);
    }
}

fn oracle(data: &[u8]) {
    use dlock_oracle::Key;
    let key = Key::from(data);
    assert_eq!(u64::from(key.id()), hash64(data) % (1 << 30));
    assert_eq!(key, Key::convert(data.to_vec(), |data| data).unwrap());
    shown(&key);
    if let Ok(text) = str::from_utf8(data) {
        assert!(Key::from(text) == key && Key::hashed(text) == key);
    }
}

fn names(data: &[u8]) {
    let (mysql, mssql) = (dlock_mysql::Key::try_from(data), dlock_mssql::Key::try_from(data));
    for error in [mysql.as_ref().err(), mssql.as_ref().err()].into_iter().flatten() {
        shown(error);
    }
    let Ok(text) = str::from_utf8(data) else {
        return assert!(matches!(
            (mysql, mssql),
            (Err(KeyError::NotUtf8(_)), Err(KeyError::NotUtf8(_)))
        ));
    };
    let fits = text.chars().all(|c| c != '\0' && c.len_utf8() <= 3);
    assert_eq!(mysql.is_ok(), fits && (1..=64).contains(&text.chars().count()));
    let length = text.encode_utf16().count();
    assert_eq!(mssql.is_ok(), !text.contains('\0') && (1..=255).contains(&length));
    if let Ok(key) = mysql {
        assert_eq!(key.as_str(), text);
        shown(&key);
    }
    if let Ok(key) = mssql {
        assert_eq!(key.as_str(), text);
        shown(&key);
    }
    assert_eq!(dlock_mysql::Key::hashed(text).as_str(), hash256(text).to_string());
    assert_eq!(dlock_mssql::Key::hashed(text).as_str(), hash256(text).to_string());
}

fn numbers(number: i64) {
    assert_eq!(dlock_postgres::Key::from(number).to_string(), number.to_string());
    assert_eq!(dlock_mysql::Key::from(number).as_str(), number.to_string());
    assert_eq!(dlock_mssql::Key::from(number).as_str(), number.to_string());
    let in_range = (0..1 << 30).contains(&number);
    assert_eq!(dlock_oracle::Key::try_from(number).is_ok(), in_range);
    let large = number.cast_unsigned();
    assert_eq!(dlock_postgres::Key::try_from(large).is_ok(), number >= 0);
    assert_eq!(dlock_oracle::Key::try_from(large).is_ok(), in_range);
}
