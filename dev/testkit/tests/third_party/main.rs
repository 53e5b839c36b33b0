//! A driver of somebody else's, over locks on files: written against what `dlock-core` publishes, it
//! keeps the promises, and it is the one that "Writing a driver" shows.

mod bed;
#[expect(unreachable_pub, reason = "it is written as a crate of its own would be")]
mod file_lock;

use bed::Files;
use dlock_testkit::trial::{drop_promises, harness, local_promises, trial};
use std::process::ExitCode;

const README: &str = include_str!("../../../../crates/dlock-core/README.md");
const DRIVER: &str = include_str!("file_lock.rs");

fn main() -> ExitCode {
    let mut trials = local_promises::<Files>("file_lock");
    trials.extend(drop_promises::<Files>("file_lock"));
    trials.push(trial("file_lock::is_what_the_readme_shows", is_what_the_readme_shows));
    harness(trials)
}

async fn is_what_the_readme_shows() {
    let shown = README.split_once("```rust,no_run\n").expect("the readme shows a driver").1;
    let shown = shown.split_once("```").expect("the block ends").0;
    assert!(shown == DRIVER, "put tests/third_party/file_lock.rs into dlock-core's README.md");
}
