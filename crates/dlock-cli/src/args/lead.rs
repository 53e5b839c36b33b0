//! The arguments of `dlock lead`.

use super::{Guard, Hold};
use crate::duration;
use clap::Args;
use std::ffi::OsString;
use std::time::Duration;

const EXAMPLES: &str = "\
Examples:
  dlock lead scheduler -- ./scheduler         run it here whenever it runs nowhere else
  dlock lead scheduler --again -- ./one-turn  compete again when it has ended, a second later at the soonest

Exit status: the command's; 128 + n where signal n ended it; 69 where the server cannot be asked to begin with; 64
for arguments that make no sense. A lock that was lost is told on standard error and competed for again.";

/// Runs a command whenever the key is held, again and again when the lock was lost
///
/// When the command ends by itself, so does `dlock`, with its status, unless --again is given. A signal that
/// asks `dlock` to end is the command's: when it has ended, the key is let go, and `dlock` ends with its status.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Lead {
    /// The key: whoever names the same one on this server does not lead meanwhile
    pub(crate) key: String,

    /// Let the key go and compete again, too, when the command ends by itself
    #[arg(long)]
    pub(crate) again: bool,

    /// Give the command a number in DLOCK_TOKEN that is higher than that of all leaders before
    #[arg(long)]
    pub(crate) fenced: bool,

    /// After how long of silence the server lets go: 3 seconds at least
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = duration::lease)]
    pub(crate) lease: Duration,

    #[command(flatten)]
    pub(crate) guard: Guard,

    /// The command and its arguments, after `--`
    #[arg(last = true, required = true, value_name = "COMMAND")]
    pub(crate) command: Vec<OsString>,
}

impl Lead {
    /// As long as it takes.
    pub(crate) fn hold(&self) -> Hold {
        Hold {
            wait: None,
            no_wait: false,
            conflict_exit_code: crate::status::BUSY,
            shared: false,
            permits: None,
            fenced: self.fenced,
            lease: self.lease,
        }
    }
}
