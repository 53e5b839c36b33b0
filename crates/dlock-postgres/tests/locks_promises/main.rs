//! The promises of `Locks`, through tokio-postgres.

mod fixture;

use dlock_testkit::locks::{
    client, fence_figures, fenced_client, kill_figures, link_figures, link_promises, lock_promises,
    machine_figures, machine_promises, process_figures, process_promises, promises,
    shared_promises,
};
use dlock_testkit::trial::harness;
use fixture::Place;
use std::process::ExitCode;

fn main() -> ExitCode {
    if let Some(ended) = client::<Place>().or_else(fenced_client::<Place>) {
        return ended;
    }
    let mut trials = promises::<Place>("postgres");
    trials.extend(shared_promises::<Place>("postgres"));
    trials.extend(link_promises::<Place>("postgres"));
    trials.extend(lock_promises::<Place>("postgres"));
    trials.extend(machine_promises::<Place>("postgres"));
    trials.extend(process_promises::<Place>("postgres"));
    trials.extend(kill_figures::<Place>("postgres"));
    trials.extend(link_figures::<Place>("postgres"));
    trials.extend(machine_figures::<Place>("postgres"));
    trials.extend(process_figures::<Place>("postgres"));
    trials.extend(fence_figures::<Place>("postgres"));
    harness(trials)
}
