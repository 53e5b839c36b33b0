//! A database made of memory: the executable specification of a lock server.
//!
//! Sessions hold and await keys, exclusively or shared. Waiters are served in the order they came and
//! nobody barges: a shared request waits behind an exclusive one that waits. A request that would
//! close a cycle of waits is refused at once, and its session keeps what it has. A session never holds
//! a key twice. A session that ends frees all, and its waits end with an error.

mod bed;
mod carried;
mod database;
mod direct;
mod mode;
mod queue;
mod session;
mod table;
mod trip;
mod waiting;

pub use bed::{ByArc, Kind, MemoryBed, Moved, MutBorrowed, Owned};
pub use carried::Carried;
pub use database::Database;
pub use direct::Direct;
pub use mode::Mode;
pub use session::{Ended, Session};

/// Why a call on a lock over memory did not do what it was asked to.
pub type Error = dlock_core::Error<Ended>;
