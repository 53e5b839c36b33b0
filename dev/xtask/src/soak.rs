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
