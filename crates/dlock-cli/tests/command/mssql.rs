//! `dlock` on the stand-in for SQL Server, which processes share.

use crate::engines::Kind;
use crate::fixture::{dlock, name, output, run, start, until_marked};
use standin_mssql::Server;
use std::sync::OnceLock;

/// The same for all tests.
fn kind() -> Kind {
    static STANDIN: OnceLock<(Server, String)> = OnceLock::new();
    let started = || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let server = runtime.expect("a runtime").block_on(Server::start()).expect("the stand-in");
        let url = format!("mssql://sa:dlock@{}/dlock?encrypt=false", server.addr());
        (server, url)
    };
    let (_, url) = STANDIN.get_or_init(started);
    Kind { name: "SQL Server", url, member: "mssql", tells_waiters: true }
}

#[test]
fn the_status_is_that_of_the_command() {
    for status in [0, 7] {
        let script = format!("exit {status}");
        let (ended, _, said) = output(run(kind().url, &name("status"), &[], "", &script));
        assert_eq!((ended, said.as_str()), (status, ""));
    }
}

#[test]
fn the_second_waits_and_whoever_will_not_is_75() {
    let (key, mark) = (name("waits"), name("waits"));
    let holder = start(run(kind().url, &key, &[], &mark, "exec sleep 1000"));
    until_marked(&mark, 1);
    let mut waiter = start(run(kind().url, &key, &[], "", "exit 5"));
    for options in [&["--no-wait"][..], &["--wait", "50ms"]] {
        let (status, _, said) = output(run(kind().url, &key, options, "", "exit 5"));
        assert_eq!(status, 75, "{said}");
    }
    let states = kind().rows(&key, 2).into_iter().map(|row| row["state"].clone());
    assert_eq!(Vec::from_iter(states), ["holds", "waits"]);
    drop(holder);
    assert_eq!(waiter.status(), 5);
}

#[test]
fn shared_ones_hold_together() {
    let (key, mark) = (name("shared"), name("shared"));
    let _holder = start(run(kind().url, &key, &["--shared"], &mark, "exec sleep 1000"));
    until_marked(&mark, 1);
    let (status, _, said) = output(run(kind().url, &key, &["--shared", "--no-wait"], "", "exit 6"));
    assert_eq!(status, 6, "{said}");
    assert_eq!(output(run(kind().url, &key, &["--no-wait"], "", "exit 6")).0, 75);
}

#[test]
fn who_is_freed_loses_its_lock() {
    let (key, mark) = (name("freed"), name("freed"));
    let mut holder = start(run(kind().url, &key, &[], &mark, "exec sleep 1000"));
    until_marked(&mark, 1);
    let (status, rows) = kind().json(&["free", &key, "--yes"]);
    assert_eq!((status, &rows[0]["key"]), (0, &key.as_str().into()));
    assert_eq!(holder.status(), 74);
    assert_eq!(output(dlock(kind().url, &["who", &key])).0, 1);
}

#[test]
fn the_check_up_finds_no_fault() {
    let (status, found) = kind().json(&["doctor"]);
    assert_eq!(status, 0, "{found:?}");
    assert!(found.iter().all(|finding| finding["severity"] != "fault"), "{found:?}");
}

#[test]
fn what_it_has_not_is_told() {
    let (status, _, said) = output(run(kind().url, &name("fence"), &["--fenced"], "", "exit 5"));
    assert_eq!(status, 64, "{said}");
    assert!(said.contains("SQL Server has no fence"), "{said}");
}
