//! `cargo xtask test`: everything that has to hold before a change is taken.

use std::env;
use std::process::Command;

use anyhow::Result;

use crate::cargo::{cargo, run};
use crate::environment::VARIABLES;
use crate::features;
use crate::grammar;
use crate::report::Report;
use crate::servers::{are_here, servers};

const FORMAT: &[&str] = &["fmt", "--all", "--check"];
const LINTS: &[&str] =
    &["clippy", "--workspace", "--all-targets", "--all-features", "--", "-D", "warnings"];
const DOCS: &[&str] = &["doc", "--workspace", "--no-deps", "--all-features"];
/// Unit tests, the promises, the facts about each server, examples, and the tests in the docs.
const TESTS: &[&str] = &["test", "--workspace", "--all-features", "--no-fail-fast"];
const UNIT_TESTS: &[&str] = &["test", "--workspace", "--all-features", "--no-fail-fast", "--lib"];

/// How many tests of one file run at a time: most of them wait for a server or a clock.
const THREADS: &str = "RUST_TEST_THREADS";

/// Runs every step, also behind one that failed, and sums up.
///
/// # Errors
/// Returns an error that names the steps that failed.
pub(crate) fn test(quick: bool) -> Result<()> {
    let mut report = Report::new(if quick { 3 } else { 8 });
    if quick {
        step(&mut report, "format", FORMAT);
        step(&mut report, "lints", LINTS);
        // The kit's own tests start servers.
        step(&mut report, "unit tests", &[UNIT_TESTS, &["--exclude", "dlock-testkit"]].concat());
    } else {
        report.step("servers", "cargo xtask servers", servers);
        step(&mut report, "format", FORMAT);
        step(&mut report, "lints", LINTS);
        report.step("features", "cargo check, none and each alone", features::alone);
        report.step("docs", &said(DOCS), || run(&mut docs()));
        report.step("T-SQL", "sqlfluff", grammar::tsql);
        report.step("PL/SQL", "antlr4ts-sql", grammar::plsql);
        report.step("tests", &said(TESTS), || run(&mut tests()));
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

/// On private servers; where they could not be had, on the containers that were started instead.
fn tests() -> Command {
    let mut command = cargo(TESTS);
    if env::var_os(THREADS).is_none() {
        command.env(THREADS, "3");
    }
    if !are_here() {
        command.envs(VARIABLES);
    }
    command
}
