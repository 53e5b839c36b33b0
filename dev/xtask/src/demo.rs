//! `cargo xtask demo`: the main job, on a server of its own.

use std::env;
use std::path::Path;

use anyhow::{Context, Result};

use crate::cargo::{cargo, root, run};
use crate::servers::servers;

/// Gets PostgreSQL where there is none, then runs the demo on it.
///
/// # Errors
/// Returns an error if there is no PostgreSQL and none can be had, or if the demo fails.
pub(crate) fn demo() -> Result<()> {
    if !is_there() {
        println!("there is no PostgreSQL on this machine: getting one");
        servers()?;
    }
    println!("building the demo (a minute the first time)");
    run(&mut cargo(&["run", "--quiet", "--package", "xtask", "--example", "demo"]))
        .context("the demo failed")
}

/// Whether the test kit will find a server, or was given one.
fn is_there() -> bool {
    let given = ["DLOCK_POSTGRES_URL", "DLOCK_PG_BIN"];
    let path = env::var_os("PATH").unwrap_or_default();
    given.iter().any(|name| env::var_os(name).is_some())
        || env::split_paths(&path).any(|dir| dir.join("postgres").is_file())
        || root().join("target/servers/postgres-18/bin/postgres").is_file()
        || versions(Path::new("/usr/lib/postgresql"))
}

fn versions(parent: &Path) -> bool {
    let Ok(entries) = parent.read_dir() else {
        return false;
    };
    entries.flatten().any(|entry| entry.path().join("bin/postgres").is_file())
}
