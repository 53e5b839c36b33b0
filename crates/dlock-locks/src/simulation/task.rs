use crate::Mode;
use crate::model::Need;
use std::time::Duration;

/// What a task does, again and again: asks for a key, holds it, gives it back.
#[derive(Clone, Debug)]
pub(crate) struct Work {
    /// Keys are drawn from this many, from the first on.
    pub(crate) keys: u32,
    pub(crate) mode: Mode,
    pub(crate) need: Need,
    /// How long it holds: one of these, by chance.
    pub(crate) holds: Vec<Duration>,
    /// How long it waits.
    pub(crate) patience: Option<Duration>,
    /// Whether it waits at all.
    pub(crate) tries: bool,
    /// Its requests are dropped after so long, one in so many.
    pub(crate) drops: Option<(u32, Duration)>,
    /// How often.
    pub(crate) rounds: usize,
    /// How long it rests in between.
    pub(crate) rest: Duration,
}

impl Work {
    pub(crate) fn exclusive(keys: u32, hold: Duration, rounds: usize) -> Self {
        Self {
            keys,
            mode: Mode::Exclusive,
            need: Need::Nothing,
            holds: vec![hold],
            patience: None,
            tries: false,
            drops: None,
            rounds,
            rest: Duration::ZERO,
        }
    }

    pub(crate) fn shared(keys: u32, hold: Duration, rounds: usize) -> Self {
        Self { mode: Mode::Shared, ..Self::exclusive(keys, hold, rounds) }
    }
}

/// One task of a process.
#[derive(Debug)]
pub(crate) struct Task {
    pub(crate) process: usize,
    pub(crate) kind: usize,
    pub(crate) work: Work,
    pub(crate) left: usize,
    pub(crate) asked: Duration,
    pub(crate) key: u32,
}
