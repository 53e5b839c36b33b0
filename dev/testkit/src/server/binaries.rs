//! Where a server's binaries are: on `PATH`, in the distribution's directories, or where
//! `cargo xtask servers` put them.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// The target directory's folder for servers: fetched binaries and initialised templates.
///
/// # Errors
/// Returns an error if the running program's own path cannot be read.
pub fn servers_dir() -> Result<PathBuf> {
    Ok(target_dir()?.join("servers"))
}

/// The directory of the build: the workspace's, so that fetched binaries are found whatever
/// `CARGO_TARGET_DIR` says.
fn target_dir() -> Result<PathBuf> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2);
    Ok(workspace.context("the workspace has a root")?.join("target"))
}

/// The first file of that name on `PATH` or in one of `dirs`, links followed.
pub(super) fn find(name: &str, dirs: &[&Path]) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let mut places = env::split_paths(&path).chain(dirs.iter().map(|dir| dir.to_path_buf()));
    let found = places.find_map(|dir| Some(dir.join(name)).filter(|file| file.is_file()))?;
    found.canonicalize().ok()
}

/// As [`find`], with one sentence on what to do when there is none.
pub(super) fn require(name: &str, dirs: &[&Path]) -> Result<PathBuf> {
    find(name, dirs)
        .with_context(|| format!("{name} is not on this machine: run `cargo xtask servers`"))
}

/// The directories whose name is a version (`15`, `postgres-18`), newest first.
pub(super) fn versioned(parent: &Path, prefix: &str) -> Vec<PathBuf> {
    let Ok(entries) = parent.read_dir() else {
        return Vec::new();
    };
    let mut found: Vec<(u32, PathBuf)> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter_map(|path| Some((version(&path, prefix)?, path)))
        .collect();
    found.sort();
    found.into_iter().rev().map(|(_, path)| path).collect()
}

fn version(path: &Path, prefix: &str) -> Option<u32> {
    path.file_name()?.to_str()?.strip_prefix(prefix)?.parse().ok()
}
