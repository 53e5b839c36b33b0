//! The arguments of `dlock run`.

use super::{Guard, Hold};
use clap::Args;
use std::ffi::OsString;

const RUN_EXAMPLES: &str = "\
Examples:
  dlock run nightly --no-wait -- ./nightly.sh --all
  dlock run reports --shared --wait 30s -- psql -f report.sql
  dlock run shell --foreground -- bash

Exit status: the command's; 128 + n where signal n ended it; 75 where the key is held elsewhere (-E changes
it); 74 where the lock was lost; 69 where the server cannot be asked; 64 for arguments that make no sense; 126
and 127 for a command that cannot be run or found.

The command gets DLOCK_KEY, with --fenced DLOCK_TOKEN, and no DLOCK_URL. DATABASE_URL is its own and stays.";

/// Runs a command while a key is held
///
/// Nothing of the command's runs on when the lock may be somebody else's: a guardian process ends it when the
/// lock is lost, when the server has been silent for nearly as long as the lease, or when `dlock` was killed
/// or stopped.
#[derive(Debug, Args)]
#[command(after_help = RUN_EXAMPLES)]
pub(crate) struct Run {
    /// The key: whoever names the same one on this server is kept out meanwhile
    pub(crate) key: String,

    #[command(flatten)]
    pub(crate) hold: Hold,

    #[command(flatten)]
    pub(crate) guard: Guard,

    /// The command and its arguments, after `--`
    #[arg(last = true, required = true, value_name = "COMMAND")]
    pub(crate) command: Vec<OsString>,
}
