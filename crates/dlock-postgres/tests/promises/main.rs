//! The promises of every lock, through tokio-postgres, for each kind of session.

mod bed;

use bed::{Kind, Place};
use dlock_postgres::Lock;
use dlock_testkit::trial::{
    drop_promises, harness, lone_script_promises, promises, script_promises, session_promises,
    shared_promises, shared_session_promises,
};
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut trials = promises::<Place<bed::Lent>>(bed::Lent::NAME);
    trials.extend(drop_promises::<Place<bed::Lent>>(bed::Lent::NAME));
    trials.extend(shared_promises::<Place<bed::Lent>>(bed::Lent::NAME));
    trials.extend(session_promises::<Place<bed::Lent>>(bed::Lent::NAME));
    trials.extend(shared_session_promises::<Place<bed::Lent>>(bed::Lent::NAME));
    trials.extend(promises::<Place<bed::Shared>>(bed::Shared::NAME));
    trials.extend(drop_promises::<Place<bed::Shared>>(bed::Shared::NAME));
    trials.extend(session_promises::<Place<bed::Shared>>(bed::Shared::NAME));
    trials.extend(script_promises::<Place<bed::Shared>>(bed::Shared::NAME));
    trials.extend(promises::<Place<bed::Owned>>(bed::Owned::NAME));
    trials.extend(drop_promises::<Place<bed::Owned>>(bed::Owned::NAME));
    trials.extend(lone_script_promises::<Place<bed::Owned>>(bed::Owned::NAME, Some(Lock::shared)));
    trials.extend(promises::<Place<bed::Both>>(bed::Both::NAME));
    trials.extend(drop_promises::<Place<bed::Both>>(bed::Both::NAME));
    trials.extend(shared_promises::<Place<bed::Both>>(bed::Both::NAME));
    trials.extend(lone_script_promises::<Place<bed::Both>>(bed::Both::NAME, Some(Lock::shared)));
    trials.extend(promises::<Place<bed::Exclusive>>(bed::Exclusive::NAME));
    trials.extend(drop_promises::<Place<bed::Exclusive>>(bed::Exclusive::NAME));
    trials.extend(promises::<Place<bed::SharedBoth>>(bed::SharedBoth::NAME));
    trials.extend(drop_promises::<Place<bed::SharedBoth>>(bed::SharedBoth::NAME));
    trials.extend(session_promises::<Place<bed::SharedBoth>>(bed::SharedBoth::NAME));
    trials.extend(shared_session_promises::<Place<bed::SharedBoth>>(bed::SharedBoth::NAME));
    trials.extend(pooled());
    harness(trials)
}

fn pooled() -> Vec<libtest_mimic::Trial> {
    let mut trials = Vec::new();
    #[cfg(feature = "deadpool")]
    trials.extend(promises::<Place<bed::Deadpool>>(bed::Deadpool::NAME));
    #[cfg(feature = "deadpool")]
    trials.extend(drop_promises::<Place<bed::Deadpool>>(bed::Deadpool::NAME));
    #[cfg(feature = "bb8")]
    trials.extend(promises::<Place<bed::Bb8>>(bed::Bb8::NAME));
    #[cfg(feature = "bb8")]
    trials.extend(drop_promises::<Place<bed::Bb8>>(bed::Bb8::NAME));
    trials
}
