//! A short soak with a fixed seed on every server: no promise is broken.

use dlock_soak::event::Counts;
use serde::Deserialize;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;
use tokio::process::Command;
use tokio::time::timeout;

const SERVERS: [&str; 5] = ["postgres", "mariadb", "mysql", "mssql", "oracle"];

#[derive(Deserialize)]
struct Summary {
    counts: Counts,
    violations: Vec<String>,
}

#[tokio::test]
async fn no_promise_is_broken() {
    let json = Path::new(env!("CARGO_TARGET_TMPDIR")).join("short-soak.json");
    let mut soak = Command::new(env!("CARGO_BIN_EXE_dlock-soak"));
    soak.args(["--minutes", "0.4", "--seed", "7", "--tasks", "2", "--json"]).arg(&json);
    let soak = soak.stdout(Stdio::null()).kill_on_drop(true).status();
    let status = timeout(Duration::from_secs(150), soak).await.expect("it stops by itself");
    assert!(status.unwrap().success());
    let summary: Summary = serde_json::from_slice(&std::fs::read(json).unwrap()).unwrap();
    assert_eq!(summary.violations, [""; 0]);
    let count = |what: String| summary.counts.get(&what).copied().unwrap_or_default();
    for server in SERVERS {
        for what in ["critical sections", "waits dropped", "musters with nothing left"] {
            assert!(count(format!("{server}: {what}")) > 0, "{server}: no {what}");
        }
    }
    assert!(count("clients killed with SIGKILL".to_owned()) > 0);
}
