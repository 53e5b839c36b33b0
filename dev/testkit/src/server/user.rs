//! The account a server runs as: one's own, or `nobody` where one's own is root.

use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use rustix::process::geteuid;

/// The account of a server: `None` is one's own.
#[derive(Clone, Copy, Debug)]
pub(super) struct User(Option<(u32, u32)>);

impl User {
    /// The account for servers: PostgreSQL and pgbouncer refuse to run as root.
    pub(super) fn for_servers() -> Result<Self> {
        if !geteuid().is_root() {
            return Ok(Self(None));
        }
        Ok(Self(Some((id("-u")?, id("-g")?))))
    }

    /// A command that runs as this account.
    pub(super) fn command(self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.env("LC_ALL", "C").current_dir("/");
        if let Self(Some((uid, gid))) = self {
            command.uid(uid).gid(gid);
        }
        command
    }

    /// Gives a file or directory to this account.
    pub(super) fn own(self, path: &Path) -> Result<()> {
        let Self(Some((uid, gid))) = self else {
            return Ok(());
        };
        chown(path, Some(uid), Some(gid)).with_context(|| format!("chown {}", path.display()))
    }
}

fn id(which: &str) -> Result<u32> {
    let output = Command::new("id").args([which, "nobody"]).output()?;
    let text = String::from_utf8(output.stdout)?;
    text.trim().parse().context("there is no account `nobody` to run a server as")
}
