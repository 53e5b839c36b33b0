//! Random scripts on memory over one kind of session against another: the same answers.

use dlock_core::Lock;
use dlock_testkit::memory::{ByArc, MemoryBed, Moved, Owned};
use dlock_testkit::script::{Apart, Effort, Together, check};

const EFFORT: Effort = Effort { scripts: 20, steps: 30 };

#[test]
fn shared_sessions_answer_the_same_twice() {
    check::<MemoryBed<ByArc>, Together>(Some(Lock::shared), EFFORT).unwrap();
}

#[test]
fn owned_sessions_answer_as_shared_ones() {
    check::<MemoryBed<Owned>, Apart>(Some(Lock::shared), EFFORT).unwrap();
}

#[test]
fn moving_sessions_answer_as_shared_ones() {
    check::<MemoryBed<Moved>, Apart>(Some(Lock::shared), EFFORT).unwrap();
}

#[test]
fn a_driver_without_shared_locks_runs_exclusive_scripts() {
    check::<MemoryBed<Moved>, Apart>(None, EFFORT).unwrap();
}

/// Locks that are asked to be shared and are not: the answers must differ somewhere.
#[test]
fn a_difference_is_found() {
    let failure = check::<MemoryBed<Owned>, Apart>(Some(|lock| lock), EFFORT).unwrap_err();
    // Which call shows it first is the script's affair: that an answer differs is ours.
    assert!(failure.starts_with("Test failed: step "), "{failure}");
    assert!(failure.contains("DLOCK_SCRIPT_SEED="), "{failure}");
}
