//! Packages of the machine's own distribution.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use anyhow::Result;

use super::run::{finish, quiet, run};

const POLICY: &str = "/usr/sbin/policy-rc.d";

/// Whether we may install packages: apt is there and we are root.
pub(super) fn is_there() -> bool {
    let root = run("id", &["-u"]).is_ok_and(|id| id.trim() == "0");
    root && quiet("apt-get", &["--version"])
}

/// Brings the list of packages up to date.
pub(super) fn update() -> Result<()> {
    println!("reading the list of packages");
    run("apt-get", &["update", "--quiet"]).map(drop)
}

/// Installs packages without starting their services.
pub(super) fn install(packages: &[&str]) -> Result<()> {
    println!("installing {}", packages.join(", "));
    let _policy = Policy::no_services()?;
    let mut command = Command::new("apt-get");
    command.args(["install", "--yes", "--quiet", "--no-install-recommends"]).args(packages);
    finish(command.env("DEBIAN_FRONTEND", "noninteractive")).map(drop)
}

/// The rule that no service starts while packages are installed; gone with this value.
struct Policy {
    ours: bool,
}

impl Policy {
    fn no_services() -> Result<Self> {
        let policy = Path::new(POLICY);
        if policy.exists() {
            return Ok(Self { ours: false });
        }
        // 101 is "forbidden by policy".
        fs::write(policy, "#!/bin/sh\nexit 101\n")?;
        fs::set_permissions(policy, fs::Permissions::from_mode(0o755))?;
        Ok(Self { ours: true })
    }
}

impl Drop for Policy {
    fn drop(&mut self) {
        if self.ours {
            let _ = fs::remove_file(POLICY);
        }
    }
}
