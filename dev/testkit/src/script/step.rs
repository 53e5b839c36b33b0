use super::Cast;
use proptest::collection::vec;
use proptest::prelude::{Strategy, any, prop_oneof};

/// One operation. Locks, keys and sessions are numbers: places in the cast.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    /// `acquire(Wait::No)`.
    Try(usize),
    /// `acquire` for 30 ms.
    Within(usize),
    /// `acquire(Wait::Forever)`, dropped after 30 ms where the key is held elsewhere.
    Forever(usize),
    /// `try_lock`, and the guard is dropped.
    DropGuard(usize),
    /// `try_lock`, and the guard is released.
    ReleaseGuard(usize),
    /// `with(Wait::No, …)`.
    With(usize),
    /// `release`.
    Release(usize),
    /// `close`.
    Close(usize),
    /// The sessions that hold this key are ended by an administrator.
    Kill(usize),
    /// The locks of this session are dropped, and the session too; there is a new one.
    Renew(usize),
}

impl Step {
    /// The lock that it is done with.
    pub(super) fn lock(self) -> Option<usize> {
        match self {
            Step::Try(lock)
            | Step::Within(lock)
            | Step::Forever(lock)
            | Step::DropGuard(lock)
            | Step::ReleaseGuard(lock)
            | Step::With(lock)
            | Step::Release(lock)
            | Step::Close(lock) => Some(lock),
            Step::Kill(_) | Step::Renew(_) => None,
        }
    }
}

/// Which locks are shared, and what is done with them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Script {
    /// For each lock, whether it is shared (where the driver has that).
    pub shared: Vec<bool>,
    /// One after the other.
    pub steps: Vec<Step>,
}

/// Scripts of so many steps at most.
pub fn scripts(cast: Cast, steps: usize) -> impl Strategy<Value = Script> {
    (vec(any::<bool>(), cast.locks()), vec(step(cast), 1..=steps))
        .prop_map(|(shared, steps)| Script { shared, steps })
}

fn step(cast: Cast) -> impl Strategy<Value = Step> {
    let (lock, key, session) = (0..cast.locks(), 0..cast.keys, 0..cast.sessions);
    prop_oneof![
        6 => lock.clone().prop_map(Step::Try),
        2 => lock.clone().prop_map(Step::Within),
        2 => lock.clone().prop_map(Step::Forever),
        2 => lock.clone().prop_map(Step::DropGuard),
        1 => lock.clone().prop_map(Step::ReleaseGuard),
        1 => lock.clone().prop_map(Step::With),
        5 => lock.clone().prop_map(Step::Release),
        2 => lock.prop_map(Step::Close),
        1 => key.prop_map(Step::Kill),
        1 => session.prop_map(Step::Renew),
    ]
}
