//! Exit statuses, and the sentences that go with them.

use dlock_db::KeyError;
use std::error::Error;
use std::io::{self, Write};

/// The arguments make no sense: `EX_USAGE` of <https://man7.org/linux/man-pages/man3/sysexits.h.3head.html>.
pub(crate) const USAGE: u8 = 64;
/// The server could not be asked: `EX_UNAVAILABLE`.
pub(crate) const NO_SERVER: u8 = 69;
/// Something of the system's failed: `EX_OSERR`.
pub(crate) const SYSTEM: u8 = 71;
/// The lock was lost: `EX_IOERR`.
pub(crate) const LOST: u8 = 74;
/// The key is held elsewhere: `EX_TEMPFAIL`.
pub(crate) const BUSY: u8 = 75;
/// The command is there but cannot be run, as a shell says it.
pub(crate) const CANNOT_RUN: u8 = 126;
/// There is no such command, as a shell says it.
pub(crate) const NOT_FOUND: u8 = 127;

/// Why `dlock` did not do what it was asked to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Failure {
    pub(crate) status: u8,
    /// One sentence; nothing where there is nothing to say.
    pub(crate) sentence: Option<String>,
}

impl Failure {
    pub(crate) fn new(status: u8, sentence: impl Into<String>) -> Self {
        Self { status, sentence: Some(sentence.into()) }
    }

    /// Something of the system's.
    pub(crate) fn system(doing: &str, error: &io::Error) -> Self {
        Self::new(SYSTEM, format!("{doing} failed: {}", of_system(error)))
    }

    /// `dlock` was asked to end by this signal.
    pub(crate) fn signal(number: i32) -> Self {
        Self { status: of_signal(number), sentence: None }
    }
}

/// The status of what a signal has ended, as a shell says it.
pub(crate) fn of_signal(number: i32) -> u8 {
    u8::try_from(number).map_or(u8::MAX, |number| number.saturating_add(128))
}

/// Says a sentence on standard error. Nobody may be there to read it.
pub(crate) fn say(sentence: &str) {
    let sentence = sentence.trim_end().trim_end_matches('.').replace(['\n', '\r'], " ");
    let _ = writeln!(io::stderr(), "dlock: {sentence}");
}

/// An error and all that is behind it, without saying anything twice.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut sentence = error.to_string();
    let mut next = error.source();
    while let Some(error) = next {
        let said = error.to_string();
        if !sentence.contains(&said) {
            sentence = format!("{sentence}: {said}");
        }
        next = error.source();
    }
    sentence
}

/// Why a key cannot name a lock, without what the library could do about it.
pub(crate) fn of_key(error: &KeyError) -> String {
    let sentence = chain(error);
    let said = sentence.split("; use `Key").next().unwrap_or_default();
    format!("{said}; choose another key")
}

/// What the system says, without the number of the error.
pub(crate) fn of_system(error: &io::Error) -> String {
    let said = error.to_string();
    let said = said.split(" (os error").next().unwrap_or_default();
    said.to_lowercase()
}
