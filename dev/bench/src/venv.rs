//! The Python peers: a virtual environment under the target directory.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use crate::place::Database;

const REQUIREMENTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/python/requirements.txt");

/// The peer's program.
pub(crate) const PEER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/python/peer.py");

/// The environment's interpreter, if it was set up.
pub(crate) fn python() -> Option<PathBuf> {
    Some(place().join("bin/python")).filter(|_| place().join("ready").is_file())
}

/// Sets the environment up if these databases need it, from the package index that pip is
/// configured for.
pub(crate) fn set_up(databases: &[Database]) -> Result<()> {
    if python().is_some() || databases.iter().all(|database| database.is_stand_in()) {
        return Ok(());
    }
    println!("fetching the Python peers");
    let place = place();
    run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&place))?;
    let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"];
    run(Command::new(place.join("bin/python")).args(pip).arg(REQUIREMENTS))?;
    std::fs::write(place.join("ready"), "").context("marking the environment")
}

fn place() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/bench-python")
}

fn run(command: &mut Command) -> Result<()> {
    let output = command.stdin(Stdio::null()).output().context("running python3")?;
    let errors = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "python3 failed: {errors}");
    Ok(())
}
