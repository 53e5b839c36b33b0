//! Cargo's helpers, kept under `target/tools`.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::cargo::{cargo, root, run};

/// A helper of one version, and how it is built.
pub(crate) struct Tool {
    pub(crate) name: &'static str,
    pub(crate) version: &'static str,
    pub(crate) arguments: &'static [&'static str],
}

/// A command of that name, in the workspace's root directory; it is installed when it is missing.
pub(crate) fn tool(name: &str) -> Result<Command> {
    installed(name, &place(), &[])
}

/// The same for one version, in a place of its own.
pub(crate) fn pinned(tool: &Tool) -> Result<Command> {
    let place = place().join(format!("{}-{}", tool.name, tool.version));
    installed(tool.name, &place, &[&["--version", tool.version], tool.arguments].concat())
}

fn installed(name: &str, place: &Path, arguments: &[&str]) -> Result<Command> {
    let program = place.join("bin").join(name);
    if !program.is_file() {
        println!("installing {name} into target/tools (some minutes, once)");
        // Built without optimisations: it runs for seconds.
        let mut install = cargo(&["install", "--quiet", "--locked", "--debug", name, "--root"]);
        run(install.arg(place).args(arguments)).with_context(|| format!("installing {name}"))?;
    }
    let mut command = Command::new(program);
    command.current_dir(root());
    Ok(command)
}

fn place() -> PathBuf {
    root().join("target/tools")
}
