//! Facts about PostgreSQL that this crate relies on, and what it does with them.

mod cancels;
mod claims;
mod deadlocks;
mod drops;
mod eye;
mod far;
mod hostile;
mod keys;
mod own;
mod pooler;
mod quiet;
mod race;
mod refusals;
mod runtimes;
mod session;
mod wire;
mod xact;
