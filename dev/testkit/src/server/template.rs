//! Initialised data directories, made once per version and copied for each server.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use rustix::fs::{FlockOperation, flock};

use super::binaries::servers_dir;
use super::room::Room;
use super::user::User;

/// Fills the room's data directory from the template of that name, made by `init` if there is none.
///
/// Safe while other processes do the same: a lock file serialises the makers, and a rename
/// publishes the finished template.
pub(super) fn fill(
    room: &Room,
    name: &str,
    user: User,
    init: impl FnOnce(&Path) -> Result<()>,
) -> Result<()> {
    let template = ensure_template(name, user, init)?;
    copy(&template, &room.data())
}

fn ensure_template(
    name: &str,
    user: User,
    init: impl FnOnce(&Path) -> Result<()>,
) -> Result<PathBuf> {
    let dir = servers_dir()?.join("templates");
    fs::create_dir_all(&dir)?;
    let template = dir.join(name);
    let turn = File::create(dir.join(format!("{name}.lock")))?;
    flock(&turn, FlockOperation::LockExclusive)?;
    if !template.is_dir() {
        make(&template, user, init)?;
    }
    Ok(template)
}

fn make(template: &Path, user: User, init: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
    let room = Room::new(user)?;
    init(&room.data())?;
    let unfinished = template.with_extension("unfinished");
    if unfinished.exists() {
        fs::remove_dir_all(&unfinished)?;
    }
    copy(&room.data(), &unfinished)?;
    fs::rename(&unfinished, template).context("publishing a template")
}

/// Copies a directory with its owners and modes.
fn copy(from: &Path, to: &Path) -> Result<()> {
    let status = Command::new("cp").arg("-a").arg(from).arg(to).status()?;
    ensure!(status.success(), "copying {} failed: {status}", from.display());
    Ok(())
}

/// Runs a command of the set-up to its end; its output is in the error when it fails.
pub(super) fn run(command: &mut Command) -> Result<String> {
    let output =
        command.output().with_context(|| format!("running {}", command.get_program().display()))?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let also = String::from_utf8_lossy(&output.stderr);
    ensure!(
        output.status.success(),
        "{} failed: {}\n{said}{also}",
        command.get_program().display(),
        output.status
    );
    Ok(said)
}
