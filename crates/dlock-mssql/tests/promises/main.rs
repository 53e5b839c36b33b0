//! The promises of every lock, through tiberius, for each kind of session.

mod bed;
#[path = "../server/mod.rs"]
mod server;

use bed::{Ground, Kind, Lent, Owned};
use dlock_mssql::Lock;
use dlock_testkit::trial::{
    drop_promises, harness, lone_script_promises, promises, shared_promises,
};
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut trials = promises::<Ground<Owned>>(Owned::NAME);
    trials.extend(drop_promises::<Ground<Owned>>(Owned::NAME));
    trials.extend(shared_promises::<Ground<Owned>>(Owned::NAME));
    trials.extend(lone_script_promises::<Ground<Owned>>(Owned::NAME, Some(Lock::shared)));
    trials.extend(promises::<Ground<Lent>>(Lent::NAME));
    trials.extend(shared_promises::<Ground<Lent>>(Lent::NAME));
    harness(trials)
}
