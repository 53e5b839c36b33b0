//! `dlock` on the stand-in for Oracle's client library. Its database lies inside the process that loads it, so
//! that no process sees the locks of another: what one process does is tried, and no exclusion.

use crate::fixture::{dlock, marked, name, output, start, until_marked};
use rustix::process::Signal;
use std::env;
use std::process::Command;

const URL: &str = "oracle://scott:tiger@standin:1521/standin";

/// With the stand-in where the client library is looked for.
fn on_oracle(arguments: &[&str]) -> Command {
    let mut command = dlock(URL, arguments);
    let tests = env::current_exe().expect("a path");
    command.env("LD_LIBRARY_PATH", tests.parent().expect("a directory"));
    command
}

#[test]
fn the_status_is_that_of_the_command() {
    for status in [0, 7] {
        let script = format!("exit {status}");
        let arguments = ["run", "status", "--no-wait", "--", "sh", "-c", &script];
        let (ended, _, said) = output(on_oracle(&arguments));
        assert_eq!((ended, said.as_str()), (status, ""));
    }
}

#[test]
fn a_signal_to_dlock_ends_the_command() {
    let mark = name("oracle");
    let bears = format!("DLOCK_TEST_MARK={mark}");
    let arguments = ["run", "signal", "--", "env", &bears, "sleep", "1000"];
    let mut dlock = start(on_oracle(&arguments));
    until_marked(&mark, 1);
    dlock.signal(Signal::TERM);
    assert_eq!(dlock.status(), 143);
    assert_eq!(marked(&mark), []);
}

#[test]
fn who_may_not_lock_is_told() {
    let mut refused = on_oracle(&["run", "refused", "--no-wait", "--", "true"]);
    refused.env("DLOCK_URL", "oracle://nogrant:tiger@standin:1521/standin");
    let (status, _, said) = output(refused);
    assert_eq!(status, 69, "{said}");
    assert!(said.contains("DBMS_LOCK"), "{said}");
}
