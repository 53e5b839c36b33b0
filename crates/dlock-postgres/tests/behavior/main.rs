//! Facts about PostgreSQL that this crate relies on, and what it does with them.

mod claims;
mod drops;
mod eye;
mod far;
mod hostile;
mod keys;
mod own;
mod pooler;
mod race;
mod refusals;
mod runtimes;
mod session;
mod wire;
mod xact;
