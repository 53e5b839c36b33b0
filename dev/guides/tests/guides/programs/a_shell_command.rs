//! A shell command under a lock: it ends when the lock does. In a script it is one line, `dlock run KEY -- sh …`.

use crate::{in_time, locks};
use dlock_db::postgres::Locks;
use std::process::ExitStatus;
use std::time::Instant;
use tokio::process::Command;

async fn run(locks: &Locks, script: &str) -> anyhow::Result<ExitStatus> {
    // lock
    let held = locks.lock("program:backup").await?;
    let mut command = Command::new("sh");
    let running = command.args(["-c", script]).kill_on_drop(true).status();
    let status = held.run_until_lost(running).await??; // killed, should the lock be lost first
    held.release().await?;
    // end
    Ok(status)
}

#[tokio::test]
async fn it_runs_and_ends_with_the_lock() {
    let (locks, elsewhere) = (locks().await, crate::locks().await);
    assert_eq!(in_time(run(&locks, "exit 7")).await.expect("a lock").code(), Some(7));
    let begun = Instant::now();
    let running = tokio::spawn(async move { run(&locks, "exec sleep 60").await });
    while in_time(elsewhere.free("program:backup")).await.expect("an answer").is_empty() {}
    in_time(running).await.expect("no panic").expect_err("it was lost");
    assert!(begun.elapsed().as_secs() < 30);
}
