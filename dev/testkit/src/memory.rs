//! The database made of memory, laid out for the promises: the executable specification of a lock server.

mod bed;
mod carried;
mod trip;

pub use bed::{ByArc, Kind, MemoryBed, Moved, MutBorrowed, Owned};
pub use carried::Carried;
pub use dlock_memory::{Database, Direct, Ended, Error, Key, Mode, Session};
