//! `cargo xtask bench`: figures side by side, in one run.

use std::env;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::cargo::{cargo, root};

const MANIFEST: &str = "dev/bench/Cargo.toml";

/// Builds the bench with optimisations and runs it; it starts its own servers.
///
/// # Errors
/// Returns an error if cargo cannot be run; else it does not return.
pub(crate) fn bench(arguments: &[String]) -> Result<()> {
    println!("building the bench with optimisations (a few minutes the first time)");
    let mut command = cargo(&["run", "--release", "--quiet", "--manifest-path", MANIFEST]);
    command.arg("--target-dir").arg(target()).arg("--").args(arguments);
    // In place of this process: what ends the one ends the other.
    Err(command.exec()).context("running cargo")
}

/// It is a workspace of its own, and would else have a target directory of its own.
fn target() -> PathBuf {
    let target = env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    target.unwrap_or_else(|| root().join("target")).join("bench")
}
