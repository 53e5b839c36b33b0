use crate::bed::{Bed, SharedBed};
use dlock_core::Lock;
use std::future::Future;
use std::ops::Range;

/// How many locks there are, on which keys and over which sessions.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Cast {
    /// How many keys.
    pub keys: usize,
    /// How many sessions.
    pub sessions: usize,
    /// How many locks over each session.
    pub each: usize,
}

impl Cast {
    /// How many locks there are.
    #[must_use]
    pub fn locks(self) -> usize {
        self.sessions * self.each
    }

    /// Which key a lock is on.
    #[must_use]
    pub fn key_of(self, lock: usize) -> usize {
        lock % self.keys
    }

    /// The locks over one session.
    #[must_use]
    pub fn locks_of(self, session: usize) -> Range<usize> {
        session * self.each..(session + 1) * self.each
    }
}

/// How the locks of a script share sessions.
pub trait Layout<B: Bed> {
    /// How many there are of what.
    const CAST: Cast;

    /// A lock on each of these keys, over one new session.
    fn locks(bed: &B, keys: &[&str]) -> impl Future<Output = Vec<Lock<B::Raw>>>;
}

/// Three sessions, each with two locks on each of three keys.
#[derive(Debug)]
pub enum Together {}

/// Six sessions with one lock each, three on each of two keys.
#[derive(Debug)]
pub enum Apart {}

impl<B: SharedBed> Layout<B> for Together {
    const CAST: Cast = Cast { keys: 3, sessions: 3, each: 6 };

    async fn locks(bed: &B, keys: &[&str]) -> Vec<Lock<B::Raw>> {
        let keys = <[&str; 6]>::try_from(keys).expect("six locks over each session");
        bed.locks(keys).await.into()
    }
}

impl<B: Bed> Layout<B> for Apart {
    const CAST: Cast = Cast { keys: 2, sessions: 6, each: 1 };

    async fn locks(bed: &B, keys: &[&str]) -> Vec<Lock<B::Raw>> {
        let mut locks = Vec::new();
        for key in keys {
            locks.push(bed.lock(key).await);
        }
        locks
    }
}
