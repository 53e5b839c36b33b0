//! `dlock run`, with real processes and a real server.

mod exclusion;
mod fixture;
mod leftovers;
mod losses;
mod signals;
mod statuses;
