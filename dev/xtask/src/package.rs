//! `cargo xtask package`: what has to hold before the crates are published.

use std::process::Command;

use anyhow::{Context, Result};

use crate::cargo::{cargo, root, run};
use crate::report::{Outcome, Report};
use crate::tools::tool;

/// The libraries, in the order in which they are published; then comes the command.
const PUBLISHED: [&str; 9] = [
    "dlock-core",
    "dlock-locks",
    "dlock-memory",
    "dlock-postgres",
    "dlock-mysql",
    "dlock-mssql",
    "dlock-oracle",
    "dlock-db",
    "dlock-cli",
];
const MSRV: &str = env!("CARGO_PKG_RUST_VERSION");

/// Runs every step, also behind one that failed, and sums up.
///
/// # Errors
/// Returns an error that names the steps that failed.
pub(crate) fn package() -> Result<()> {
    let mut report = Report::new(6);
    report.step("packages", "cargo package, each crate built from its package", packages);
    report.step("features", "cargo hack check, every set of the umbrella's", features);
    report.step("licences", "cargo deny check licenses bans sources", licences);
    report.attempt("advisories", "cargo deny check advisories", advisories);
    report.attempt("semver", "cargo semver-checks, against the last release", semver);
    report.attempt("MSRV", &format!("cargo check with Rust {MSRV}"), msrv);
    report.finish()
}

/// `--allow-dirty`: it is a check, and nothing is published.
fn packages() -> Result<()> {
    let mut package = cargo(&["package", "--quiet", "--allow-dirty", "--package", "dlock-cli"]);
    run(published(&mut package))
}

fn published(command: &mut Command) -> &mut Command {
    command.args(PUBLISHED.iter().flat_map(|name| ["--package", name]))
}

fn features() -> Result<()> {
    let sets = ["--package", "dlock-db", "--feature-powerset", "--exclude-features", "default"];
    run(tool("cargo-hack")?.args(["hack", "check", "--quiet", "--keep-going"]).args(sets))
}

fn licences() -> Result<()> {
    run(tool("cargo-deny")?.args(["check", "licenses", "bans", "sources"]))
}

fn advisories() -> Result<Outcome> {
    let fetched = tool("cargo-deny")?.args(["fetch", "db"]).output()?;
    if !fetched.status.success() {
        return Ok(Outcome::NotRun("the database of advisories cannot be fetched from here"));
    }
    run(tool("cargo-deny")?.args(["check", "advisories"]))?;
    Ok(Outcome::Done)
}

fn semver() -> Result<Outcome> {
    let released = cargo(&["info", "--quiet", "--registry", "crates-io", "dlock-db"]).output()?;
    if !released.status.success() {
        return Ok(Outcome::NotRun("the registry shows no release to compare with"));
    }
    run(published(tool("cargo-semver-checks")?.arg("semver-checks")))?;
    Ok(Outcome::Done)
}

/// The toolchain is the machine's: none is installed without being asked for.
fn msrv() -> Result<Outcome> {
    let there = rust(MSRV).arg("--version").output();
    if !there.is_ok_and(|answer| answer.status.success()) {
        return Ok(Outcome::NotRun(
            "that toolchain is not here: `rustup toolchain install` gets it",
        ));
    }
    let check = ["check", "--quiet", "--package", "dlock-db", "--all-features"];
    run(rust(MSRV).args(check)).context("the manifest promises more than the code keeps")?;
    Ok(Outcome::Done)
}

/// The cargo of that version of Rust.
fn rust(version: &str) -> Command {
    let mut command = Command::new("rustup");
    command.args(["run", version, "cargo"]).current_dir(root());
    command
}
