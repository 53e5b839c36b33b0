//! `cargo xtask book`: the guide as a book of HTML.

use anyhow::Result;

use crate::cargo::{root, run};
use crate::tools::{Tool, pinned};

/// Without its server and its watcher, which are most of what it is built of.
const MDBOOK: Tool = Tool {
    name: "mdbook",
    version: "0.5.4",
    arguments: &["--no-default-features", "--features", "search"],
};

/// Builds `docs/guide` into `target/book`.
///
/// # Errors
/// Returns an error if mdBook cannot be had, or if it finds a page missing.
pub(crate) fn book() -> Result<()> {
    run(pinned(&MDBOOK)?.args(["build", "docs"]))?;
    println!("{}", root().join("target/book/index.html").display());
    Ok(())
}
