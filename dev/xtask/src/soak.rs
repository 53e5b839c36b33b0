//! `cargo xtask soak`: every fault there is, with every promise watched.

use anyhow::{Context, Result};

use crate::cargo::{cargo, run};

/// Builds the soak and runs it; it starts its own servers.
///
/// # Errors
/// Returns an error if a promise was broken, or if the soak does not build or cannot run.
pub(crate) fn soak(arguments: &[String]) -> Result<()> {
    let mut command = cargo(&["run", "--quiet", "--package", "dlock-soak", "--"]);
    run(command.args(arguments)).context("the soak failed")
}

/// Builds the figures of waits on PostgreSQL, optimized, and runs them on a server of their own.
///
/// # Errors
/// Returns an error if an answer lied, or if they do not build or cannot run.
pub(crate) fn waits(arguments: &[String]) -> Result<()> {
    let program = ["run", "--quiet", "--release", "--package", "dlock-waits", "--"];
    run(cargo(&program).args(arguments)).context("the figures of waits failed")
}
