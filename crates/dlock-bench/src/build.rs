//! What each driver crate costs to build: its dependencies, and a clean build's time.

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, ensure};

use crate::board::{Board, Fold};
use crate::figure::{Figure, Layout};
use crate::place::Database;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
const CRATES: [(Database, &str); 2] =
    [(Database::Postgres, "dlock-postgres"), (Database::Mysql, "dlock-mysql")];

/// Builds each crate from nothing, and each native driver for comparison.
pub(crate) fn measure() -> Result<Vec<Figure>> {
    let mut figures = Vec::new();
    for (database, name) in CRATES {
        println!("building {name} from nothing");
        let mut crates = Board::new("dependencies", "");
        crates.add(name, f64::from(dependencies(name)?));
        let mut time = Board::new("clean debug build", "s");
        time.add(name, clean_build(name)?);
        for board in [crates, time] {
            figures.extend(board.figures(database, Layout::Unpinned, Fold::Median));
        }
    }
    Ok(figures)
}

fn dependencies(name: &str) -> Result<u32> {
    let tree = ["tree", "--package", name, "--edges", "normal", "--prefix", "none", "--no-dedupe"];
    let output = Command::new("cargo").args(tree).current_dir(ROOT).output()?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout)?;
    let crates: std::collections::BTreeSet<&str> =
        text.lines().filter_map(|line| line.split(" (").next()).collect();
    // The crate itself is in its own tree.
    u32::try_from(crates.len()).ok().and_then(|count| count.checked_sub(1)).context("a tree")
}

fn clean_build(name: &str) -> Result<f64> {
    let target = tempfile::tempdir()?;
    let start = Instant::now();
    let mut command = Command::new("cargo");
    command.args(["build", "--quiet", "--package", name]).current_dir(Path::new(ROOT));
    let status = command.env("CARGO_TARGET_DIR", target.path()).status()?;
    ensure!(status.success(), "building {name} failed");
    Ok(start.elapsed().as_secs_f64())
}
