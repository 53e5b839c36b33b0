//! Keys of any text and any bytes: within the limits, or refused by the limit's name.

use dlock_mssql::Limits;
use dlock_testkit::naming::Rules;

const RULES: Rules = Rules {
    limit: 255,
    length: |text| text.encode_utf16().count(),
    is_fit: |character| character != '\0',
};

#[test]
fn a_text_is_a_key_or_the_limit_is_named() {
    RULES.texts::<Limits>();
}

#[test]
fn whatever_the_text_comes_in_it_is_the_same_key() {
    RULES.forms::<Limits>();
}

#[test]
fn bytes_are_a_text_or_refused() {
    RULES.bytes::<Limits>();
}

#[test]
fn a_hashed_text_always_fits() {
    RULES.hashes::<Limits>();
}

#[test]
fn integers_are_what_is_written() {
    RULES.integers::<Limits>();
}
