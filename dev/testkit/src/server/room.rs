//! A server's own directory: data, socket and configuration, in the system's temporary directory.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;
use tempfile::TempDir;

use super::user::User;

/// A temporary directory that belongs to the server's account.
#[derive(Debug)]
pub(super) struct Room(TempDir);

impl Room {
    /// A new, empty directory. Its path is short: socket paths end at 107 bytes.
    pub(super) fn new(user: User) -> Result<Self> {
        let dir = tempfile::Builder::new().prefix("dlock-").tempdir()?;
        user.own(dir.path())?;
        Ok(Self(dir))
    }

    /// The directory itself.
    pub(super) fn path(&self) -> &Path {
        self.0.path()
    }

    /// Where the server's data is.
    pub(super) fn data(&self) -> PathBuf {
        self.path().join("data")
    }

    /// Writes a file that the server's account may read.
    pub(super) fn write(&self, name: &str, text: &str, user: User) -> Result<PathBuf> {
        let file = self.path().join(name);
        fs::write(&file, text)?;
        user.own(&file)?;
        Ok(file)
    }
}
