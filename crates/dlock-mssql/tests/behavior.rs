//! What is particular to SQL Server: codes, modes, upgrades, transactions, names, long waits.

#[path = "behavior/mod.rs"]
mod behavior;
mod server;
