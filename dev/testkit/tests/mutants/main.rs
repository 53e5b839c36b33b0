//! Locks that are broken on purpose: each must break the promises that are about its flaw.

mod bed;
mod flaw;
mod line;
mod mutant;
mod pollers;
mod verdict;

use flaw::Flaw;
use libtest_mimic::{Arguments, Failed, Trial};
use std::process::ExitCode;
use std::sync::{PoisonError, RwLock};
use verdict::Verdict;

/// The sound lock is judged while nothing else runs: it may not be late.
static QUIET: RwLock<()> = RwLock::new(());

fn main() -> ExitCode {
    // What fails here fails on purpose, and the verdict tells it.
    std::panic::set_hook(Box::new(|_| {}));
    let mut trials = vec![Trial::test("none", sound)];
    let flaws = Flaw::ALL.into_iter();
    trials.extend(flaws.map(|flaw| Trial::test(flaw.name(), move || broken(flaw))));
    let mut arguments = Arguments::from_args();
    arguments.test_threads = arguments.test_threads.or(Some(trials.len()));
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// Without a flaw every promise is kept.
fn sound() -> Result<(), Failed> {
    let _alone = QUIET.write().unwrap_or_else(PoisonError::into_inner);
    let verdict = Verdict::on(Flaw::None);
    if verdict.broken.is_empty() { Ok(()) } else { Err(verdict.to_string().into()) }
}

/// A flaw is seen by the promise that is there for it, and maybe by others.
fn broken(flaw: Flaw) -> Result<(), Failed> {
    let _together = QUIET.read().unwrap_or_else(PoisonError::into_inner);
    let verdict = Verdict::on(flaw);
    println!("{}: {verdict}", flaw.name());
    let seen = verdict.broken.iter().any(|broken| broken.promise == flaw.promise());
    if seen { Ok(()) } else { Err(format!("{} was kept", flaw.promise()).into()) }
}
