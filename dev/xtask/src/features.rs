//! The umbrella with no feature and with each alone: what a build of the whole workspace, where every
//! dependency has every feature that somebody asks for, does not show.

use anyhow::{Context, Result};

use crate::cargo::{cargo, run};

const FEATURES: [&str; 7] = ["", "postgres", "mysql", "mssql", "oracle", "memory", "metrics"];

/// Checks each; all of them at once is what the other steps build.
pub(crate) fn alone() -> Result<()> {
    for feature in FEATURES {
        let check = ["check", "--quiet", "--package", "dlock-db", "--features", feature];
        run(&mut cargo(&check)).with_context(|| format!("with the features {feature:?}"))?;
    }
    Ok(())
}
