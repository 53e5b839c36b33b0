//! Facts about PostgreSQL that this crate relies on, and what it does with them.

mod by_hand;
mod cancels;
mod claims;
mod crowd;
mod deadlocks;
mod drops;
mod eye;
mod far;
mod hostile;
mod keys;
mod limits;
mod lock_table;
mod overloads;
mod own;
mod parked;
mod pooler;
#[cfg(any(feature = "bb8", feature = "deadpool"))]
mod pools;
mod quiet;
mod race;
mod refusals;
mod runtimes;
mod session;
mod settings;
mod slices;
mod strangers;
mod transactions;
mod wire;
mod xact;
