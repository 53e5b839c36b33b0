//! The promises of `Locks`, on the server of `DLOCK_MSSQL_URL`, else on a stand-in.

mod fixture;
#[path = "../server/mod.rs"]
mod server;

use dlock_testkit::locks::{
    client, key_promises, kill_figures, link_figures, link_promises, lock_promises,
    machine_figures, machine_promises, process_figures, process_promises, promises,
    shared_promises,
};
use dlock_testkit::trial::harness;
use fixture::Mssql;
use std::process::ExitCode;

const NAME: &str = "mssql";

fn main() -> ExitCode {
    if let Some(code) = client::<Mssql>() {
        return code;
    }
    let mut trials = promises::<Mssql>(NAME);
    trials.extend(key_promises::<Mssql>(NAME));
    trials.extend(shared_promises::<Mssql>(NAME));
    trials.extend(link_promises::<Mssql>(NAME));
    trials.extend(lock_promises::<Mssql>(NAME));
    trials.extend(machine_promises::<Mssql>(NAME));
    trials.extend(process_promises::<Mssql>(NAME));
    trials.extend(kill_figures::<Mssql>(NAME));
    trials.extend(link_figures::<Mssql>(NAME));
    trials.extend(machine_figures::<Mssql>(NAME));
    trials.extend(process_figures::<Mssql>(NAME));
    harness(trials)
}
