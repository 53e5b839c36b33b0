#![doc = include_str!("../README.md")]

mod connection;
mod database;
mod direct;
mod fences;
mod inspect;
mod key;
mod life;
mod locks;
mod mode;
mod queue;
mod reaper;
mod session;
mod table;
mod waiting;

pub use connection::{Connection, Transaction};
pub use database::Database;
pub use direct::Direct;
pub use dlock_core::{KeyError, Wait};
pub use dlock_locks::Mode;
pub use dlock_locks::{CancellationToken, Finding, Lost, LostReason, Severity, Stats};
pub use key::Key;
pub use locks::Leased;
pub use session::{Ended, Session};

/// Why a call on a lock over memory did not do what it was asked to.
pub type Error = dlock_core::Error<Ended>;

/// A lock held by a session.
///
/// `session()` gives `&Session`.
///
/// This page shows the calls of all servers. Of them this one has not `update`, `upgrade`, `with_mode`, `convert`, `release_on_commit`, `slice`, `prepared` and `abort`.
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

/// Tags this driver's sessions for `dlock_core::lock`.
#[derive(Debug)]
pub enum Memory {}

/// A request for a key on a session of the lock's own, for work that is to end with the lock.
pub type Alone = dlock_locks::Alone<Database>;

/// A request for several keys: all of them or none.
pub type All = dlock_locks::All<Database>;

/// How a lock of [`Locks`] is held.
pub type HeldMode = dlock_locks::Mode;

/// Who holds a key, or waits for it.
pub type Holder = dlock_locks::Holder<Key>;

/// Why a call on [`Locks`] did not do what it was asked to.
pub type LocksError = dlock_locks::Error<Ended>;

/// A request for a key, to be refined.
///
/// This page shows the calls of all servers. Of them this one has not `update` and `mode`.
pub type Request = dlock_locks::Request<Database>;

/// One's turn to lead.
pub type Term = dlock_locks::Term<Database>;
