//! The promises of `Locks`, on MySQL and on MariaDB.

mod fixture;
#[path = "../processes/mod.rs"]
#[allow(dead_code, reason = "not every suite asks for everything")]
mod processes;

use dlock_testkit::locks::{
    client, fence_figures, fenced_client, key_promises, kill_figures, link_figures, link_promises,
    lock_promises, machine_figures, machine_promises, process_figures, process_promises, promises,
};
use dlock_testkit::server::{Engine, Maria, Mysql};
use dlock_testkit::trial::harness;
use fixture::Place;
use libtest_mimic::Trial;
use std::process::ExitCode;

fn main() -> ExitCode {
    // Of either server: its URL says where it is.
    if let Some(ended) = client::<Place<Mysql>>().or_else(fenced_client::<Place<Mysql>>) {
        return ended;
    }
    let mut trials = on::<Mysql>("mysql");
    trials.extend(on::<Maria>("mariadb"));
    harness(trials)
}

fn on<E: Engine>(server: &str) -> Vec<Trial> {
    let mut trials = promises::<Place<E>>(server);
    trials.extend(key_promises::<Place<E>>(server));
    trials.extend(link_promises::<Place<E>>(server));
    trials.extend(lock_promises::<Place<E>>(server));
    trials.extend(machine_promises::<Place<E>>(server));
    trials.extend(process_promises::<Place<E>>(server));
    trials.extend(kill_figures::<Place<E>>(server));
    trials.extend(link_figures::<Place<E>>(server));
    trials.extend(machine_figures::<Place<E>>(server));
    trials.extend(process_figures::<Place<E>>(server));
    trials.extend(fence_figures::<Place<E>>(server));
    trials
}
