//! The promises of `Locks`, on Oracle.
//!
//! Those about the network and about servers that stand still need a network: the stand-in is in the process.

#[path = "../place/mod.rs"]
mod place;

mod fixture;

use dlock_testkit::locks::{kill_figures, lock_promises, promises, shared_promises};
use dlock_testkit::trial::harness;
use fixture::Observed;
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut trials = promises::<Observed>("oracle");
    trials.extend(shared_promises::<Observed>("oracle"));
    trials.extend(lock_promises::<Observed>("oracle"));
    trials.extend(kill_figures::<Observed>("oracle"));
    harness(trials)
}
