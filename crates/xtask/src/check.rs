//! `cargo xtask test`: everything that has to hold before a change is taken.

use std::process::Command;

use anyhow::Result;

use crate::cargo::{cargo, run};
use crate::report::Report;
use crate::servers::servers;

const FORMAT: &[&str] = &["fmt", "--all", "--check"];
const LINTS: &[&str] =
    &["clippy", "--workspace", "--all-targets", "--all-features", "--", "-D", "warnings"];
const DOCS: &[&str] = &["doc", "--workspace", "--no-deps", "--all-features"];
/// Unit tests, the promises, the facts about each server, examples, and the tests in the docs.
const TESTS: &[&str] = &["test", "--workspace", "--all-features", "--no-fail-fast"];
const UNIT_TESTS: &[&str] = &["test", "--workspace", "--all-features", "--no-fail-fast", "--lib"];

/// Runs every step, also behind one that failed, and sums up.
///
/// # Errors
/// Returns an error that names the steps that failed.
pub(crate) fn test(quick: bool) -> Result<()> {
    let mut report = Report::new(if quick { 3 } else { 5 });
    if quick {
        step(&mut report, "format", FORMAT);
        step(&mut report, "lints", LINTS);
        // The kit's own tests start servers.
        step(&mut report, "unit tests", &[UNIT_TESTS, &["--exclude", "dlock-testkit"]].concat());
    } else {
        report.step("servers", "cargo xtask servers", servers);
        step(&mut report, "format", FORMAT);
        step(&mut report, "lints", LINTS);
        report.step("docs", &said(DOCS), || run(&mut docs()));
        step(&mut report, "tests", TESTS);
    }
    report.finish()
}

fn step(report: &mut Report, name: &'static str, arguments: &[&str]) {
    report.step(name, &said(arguments), || run(&mut cargo(arguments)));
}

fn said(arguments: &[&str]) -> String {
    format!("cargo {}", arguments.join(" "))
}

fn docs() -> Command {
    let mut command = cargo(DOCS);
    command.env("RUSTDOCFLAGS", "-D warnings");
    command
}
