//! A machine without an Oracle client library. A file of its own: a process looks for it once.

use dlock_oracle::{Error, Locks, explain};
use oracle::InitParams;
use std::env;
use std::error::Error as _;
use std::fs;
use std::process::Command;

#[test]
fn a_missing_client_library_is_a_sentence_on_what_to_install() {
    let nowhere = env!("CARGO_MANIFEST_DIR");
    let mut params = InitParams::new();
    let params =
        params.oracle_client_lib_dir(nowhere).expect("a directory without a null character");
    let error = explain(params.init().expect_err("no client library lies here"));
    assert!(error.to_string().contains("install Oracle Instant Client"), "{error}");
    assert!(matches!(error, Error::Setup { source: Some(_), .. }));
}

/// By what this program knows that it is somewhere else.
const ELSEWHERE: &str = "DLOCK_TEST_WITHOUT_CLIENT";

/// Run from a directory of its own, since the stand-in lies beside this program.
#[test]
fn locks_say_so_too() {
    if env::var_os(ELSEWHERE).is_some() {
        return elsewhere();
    }
    let directory = env::temp_dir().join(format!("dlock no client {}", std::process::id()));
    fs::create_dir_all(&directory).expect("a directory");
    let program = directory.join("program");
    fs::copy(env::current_exe().expect("this program"), &program).expect("a copy");
    let mut command = Command::new(program);
    command.args(["--exact", "locks_say_so_too"]).env(ELSEWHERE, "1");
    let output = command.env_remove("LD_LIBRARY_PATH").env_remove("ORACLE_HOME").output();
    fs::remove_dir_all(directory).expect("it is ours");
    let output = output.expect("an end");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

fn elsewhere() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let answer = runtime.block_on(Locks::connect("oracle://scott:tiger@localhost/x"));
    let error = answer.expect_err("no client library");
    let source = error.source().expect("the driver's own error").to_string();
    assert!(source.contains("install Oracle Instant Client"), "{source}");
}
