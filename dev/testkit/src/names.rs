//! Random texts that might name a lock: hostile ones, and ones around a limit of length.

use proptest::char;
use proptest::collection::vec;
use proptest::prelude::{Strategy, prop_oneof};
use proptest::sample::select;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRunner};
use std::ops::RangeInclusive;

/// What statements, literals and patterns are made of, and one character of each length in UTF-8.
const TELLING: [char; 24] = [
    '\0', '\'', '"', '\\', '`', '%', '_', '?', ':', '@', '$', ';', '-', '/', '*', '[', ']', '\n',
    ' ', 'x', 'é', 'İ', '語', '🔒',
];

/// How often a property of keys is tried: a thousand times. A failure shows the shortest case found.
#[must_use]
pub fn config() -> Config {
    Config { cases: 1000, failure_persistence: None, ..Config::default() }
}

/// Texts of a few characters, and of as many as `limit` or half of that, give or take one.
pub fn names(limit: usize) -> impl Strategy<Value = String> {
    prop_oneof![texts(0..=8), texts(around(limit)), texts(around(limit / 2))]
}

/// So many names that pass.
///
/// # Panics
/// When next to none of them passes.
#[must_use]
pub fn fit_names(limit: usize, count: usize, is_fit: impl Fn(&str) -> bool) -> Vec<String> {
    let mut runner = TestRunner::new(Config::default());
    let fit = names(limit).prop_filter("unfit", move |name| is_fit(name));
    let mut name = || fit.new_tree(&mut runner).expect("names that pass").current();
    (0..count).map(|_| name()).collect()
}

fn around(length: usize) -> RangeInclusive<usize> {
    length.saturating_sub(1)..=length + 1
}

/// Many of one kind, or of any: a long text of any kind would hardly ever do without NUL.
fn texts(length: RangeInclusive<usize>) -> impl Strategy<Value = String> {
    let plain = vec(char::range('!', '\u{ffff}'), length.clone());
    let telling = vec(select(&TELLING[1..TELLING.len() - 1]), length.clone());
    let wide = vec(char::range('\u{10000}', char::MAX), length.clone());
    let any = vec(prop_oneof![select(&TELLING[..]), char::any()], length);
    prop_oneof![plain, telling, wide, any].prop_map(String::from_iter)
}
