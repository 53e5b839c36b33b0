//! Cargo's helpers, kept under `target/tools`.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};

use crate::cargo::{cargo, root, run};

/// A command of that name, in the workspace's root directory; it is installed when it is missing.
pub(crate) fn tool(name: &str) -> Result<Command> {
    let program = place().join("bin").join(name);
    if !program.is_file() {
        println!("installing {name} into target/tools (some minutes, once)");
        // Built without optimisations: it runs for seconds.
        let mut install = cargo(&["install", "--quiet", "--locked", "--debug", name, "--root"]);
        run(install.arg(place())).with_context(|| format!("installing {name}"))?;
    }
    let mut command = Command::new(program);
    command.current_dir(root());
    Ok(command)
}

fn place() -> PathBuf {
    root().join("target/tools")
}
