#![doc = include_str!("../README.md")]

mod database;
mod direct;
mod inspect;
mod life;
mod locks;
mod mode;
mod queue;
mod reaper;
mod session;
mod table;
mod waiting;

pub use database::Database;
pub use direct::Direct;
pub use dlock_locks::Mode;
pub use locks::Leased;
pub use session::{Ended, Session};

/// Why a call on a lock over memory did not do what it was asked to.
pub type Error = dlock_core::Error<Ended>;

/// A lock held by a session.
pub type Lock<S = Session> = dlock_core::Lock<Direct<S>>;

/// A held [`Lock`], borrowed.
pub type Guard<'a, S = Session> = dlock_core::Guard<'a, Direct<S>>;

/// A held [`Lock`] that owns its lock.
pub type OwnedGuard<S = Session> = dlock_core::OwnedGuard<Direct<S>>;

/// Locks that own their sessions.
pub type Locks = dlock_locks::Locks<Database>;

/// Settings of [`Locks`].
pub type LocksBuilder = dlock_locks::LocksBuilder<Database>;

/// A lock of [`Locks`] that is held.
pub type Held = dlock_locks::Held<Database>;

/// A lock of [`Locks`] that is held on a session of its own.
pub type HeldAlone = dlock_locks::HeldAlone<Database>;

/// So many at a time, by [`Locks::semaphore`].
pub type Semaphore = dlock_locks::Semaphore<Database>;

/// A permit of a [`Semaphore`].
pub type Permit = dlock_locks::Permit<Database>;
