//! Running other programs.

use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

/// Runs a program to its end; its output is in the error when it fails.
pub(super) fn run(program: &str, args: &[&str]) -> Result<String> {
    finish(Command::new(program).args(args))
}

/// As [`run`], for a command that is set up already.
pub(super) fn finish(command: &mut Command) -> Result<String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.stdin(Stdio::null()).output();
    let output = output.with_context(|| format!("running {program}"))?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{program} failed: {}\n{said}{errors}", output.status);
    Ok(said)
}

/// Whether a program runs and succeeds; it prints nothing.
pub(super) fn quiet(program: &str, args: &[&str]) -> bool {
    let mut command = Command::new(program);
    command.args(args).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}
