//! The promises of every lock, through the `oracle` crate and ODPI-C, for each kind of session.
//!
//! Against the stand-in that is built beside the test executable, or against the database that
//! `DLOCK_ORACLE_URL` names. No proxy can be put before the stand-in: what the promises about a
//! network ask, `loss::cut` and `loss::silent` of the behavior tests ask in words of their own.

#[path = "../place/mod.rs"]
mod place;

mod bed;

use bed::{OracleBed, Owned, Shared};
use dlock_oracle::Lock;
use dlock_testkit::trial::{
    drop_promises, harness, local_promises, lone_script_promises, script_promises,
    session_promises, shared_promises, shared_session_promises,
};
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut trials = local_promises::<OracleBed<Shared>>("arc_connection");
    trials.extend(drop_promises::<OracleBed<Shared>>("arc_connection"));
    trials.extend(shared_promises::<OracleBed<Shared>>("arc_connection"));
    trials.extend(session_promises::<OracleBed<Shared>>("arc_connection"));
    trials.extend(shared_session_promises::<OracleBed<Shared>>("arc_connection"));
    trials.extend(script_promises::<OracleBed<Shared>>("arc_connection"));
    trials.extend(local_promises::<OracleBed<Owned>>("connection"));
    trials.extend(drop_promises::<OracleBed<Owned>>("connection"));
    trials.extend(shared_promises::<OracleBed<Owned>>("connection"));
    trials.extend(lone_script_promises::<OracleBed<Owned>>("connection", Some(Lock::shared)));
    harness(trials)
}
