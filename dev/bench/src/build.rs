//! What each feature costs to build: its dependencies, and a clean build's time.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, ensure};

use crate::board::{Board, Fold};
use crate::figure::Layout;
use crate::place::Database;
use crate::run::Found;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// The umbrella, and its features.
const UMBRELLA: &str = "dlock-db";
const FEATURES: [(Database, &str, &str); 4] = [
    (Database::Postgres, "postgres", "tokio-postgres"),
    (Database::Mysql, "mysql", "mysql_async"),
    (Database::Mssql, "mssql", "tiberius"),
    (Database::Oracle, "oracle", "oracle"),
];

/// What is built, and its name in tables.
struct Thing {
    name: &'static str,
    package: &'static str,
    feature: Option<&'static str>,
}

const DRIVER: &str = "the driver alone";

/// Builds each feature from nothing, and each driver for comparison.
pub(crate) fn measure() -> Result<Found> {
    let mut figures = Vec::new();
    for (database, feature, driver) in FEATURES {
        let things = [
            Thing { name: DRIVER, package: driver, feature: None },
            Thing { name: "dlock-db with the feature", package: UMBRELLA, feature: Some(feature) },
        ];
        let mut crates = Board::new("build: dependencies", "").against(DRIVER);
        let mut time = Board::new("build: from nothing, debug", "s").against(DRIVER);
        for thing in things {
            println!("building {} for {feature} from nothing", thing.package);
            crates.add(thing.name, f64::from(thing.dependencies()?));
            time.add(thing.name, thing.clean_build()?);
        }
        for board in [crates, time] {
            figures.extend(board.figures(database, Layout::Neither, Fold::Median));
        }
    }
    Ok(Found { figures, has_failed: false })
}

impl Thing {
    fn cargo(&self, subcommand: &str) -> Command {
        let mut command = Command::new("cargo");
        command.args([subcommand, "--package", self.package]).current_dir(Path::new(ROOT));
        command.args(self.feature.map(|feature| ["--features", feature]).into_iter().flatten());
        command
    }

    fn dependencies(&self) -> Result<u32> {
        let tree = ["--edges", "normal,build", "--prefix", "none", "--no-dedupe"];
        let output = self.cargo("tree").args(tree).output()?;
        ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        count(&String::from_utf8(output.stdout)?)
    }

    fn clean_build(&self) -> Result<f64> {
        let target = tempfile::tempdir()?;
        let start = Instant::now();
        let mut command = self.cargo("build");
        command.arg("--quiet").env("CARGO_TARGET_DIR", target.path());
        ensure!(command.status()?.success(), "building {} failed", self.package);
        Ok(start.elapsed().as_secs_f64())
    }
}

/// How many packages a tree has, without its root.
fn count(tree: &str) -> Result<u32> {
    let packages: BTreeSet<&str> =
        tree.lines().filter_map(|line| line.split(" (").next()).collect();
    u32::try_from(packages.len()).ok().and_then(|count| count.checked_sub(1)).context("a tree")
}

#[cfg(test)]
mod tests {
    use super::count;

    #[test]
    fn a_package_counts_once_and_the_root_not_at_all() {
        let tree = "root v1.0.0 (/somewhere)\na v1.0.0\nb v1.0.0\na v1.0.0 (*)\na v2.0.0\n";
        assert_eq!(count(tree).expect("a tree"), 3);
        count("").expect_err("no tree");
    }
}
