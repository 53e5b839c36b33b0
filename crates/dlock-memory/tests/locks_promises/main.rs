//! The promises of `Locks`, over a database made of memory.

mod fixture;
mod session;
mod way;

use dlock_testkit::locks::{
    link_promises, lock_promises, machine_promises, promises, shared_promises,
};
use dlock_testkit::trial::harness;
use fixture::Memory;
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut trials = promises::<Memory>("memory");
    trials.extend(shared_promises::<Memory>("memory"));
    trials.extend(link_promises::<Memory>("memory"));
    trials.extend(lock_promises::<Memory>("memory"));
    trials.extend(machine_promises::<Memory>("memory"));
    harness(trials)
}
