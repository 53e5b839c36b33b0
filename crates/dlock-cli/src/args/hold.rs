//! How the key is asked for, and how the command is guarded.

use crate::duration;
use crate::terms::Leftovers;
use clap::Args;
use std::time::Duration;

/// How the key is asked for.
#[derive(Debug, Args)]
#[command(next_help_heading = "Lock")]
pub(crate) struct Hold {
    /// Wait for at most so long, such as 5s or 1m 30s [default: for as long as it takes]
    #[arg(short, long, value_name = "TIME", value_parser = duration::parse, conflicts_with = "no_wait")]
    pub(crate) wait: Option<Duration>,

    /// Do not wait at all
    #[arg(short, long)]
    pub(crate) no_wait: bool,

    /// The exit status where the key is held elsewhere
    #[arg(short = 'E', long, value_name = "STATUS", default_value_t = crate::status::BUSY)]
    pub(crate) conflict_exit_code: u8,

    /// Hold it together with others who ask for it like this
    #[arg(short, long)]
    pub(crate) shared: bool,

    /// Let so many hold it at a time; all must name the same number
    #[arg(short, long, value_name = "COUNT", conflicts_with = "shared")]
    pub(crate) permits: Option<usize>,

    /// Give the command a number in DLOCK_TOKEN that is higher than that of all holders before
    ///
    /// The server needs two tables for it, which `dlock setup` makes.
    #[arg(long, conflicts_with_all = ["shared", "permits"])]
    pub(crate) fenced: bool,

    /// After how long of silence the server lets go: 3 seconds at least
    ///
    /// The longer it is, the longer the server may be silent without any harm, and the longer others wait
    /// when this machine vanishes.
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = duration::lease)]
    pub(crate) lease: Duration,
}

/// How the command is guarded.
#[derive(Debug, Args)]
#[command(next_help_heading = "Command")]
pub(crate) struct Guard {
    /// How long after SIGTERM comes SIGKILL
    ///
    /// When the server is silent it is 0.3 of the lease at most: all has to be gone before the lock may
    /// be somebody else's.
    #[arg(short, long, value_name = "TIME", default_value = "5s", value_parser = duration::parse)]
    pub(crate) kill_after: Duration,

    /// Let the command read the terminal: it stays in the process group of `dlock`
    ///
    /// What the keyboard sends, as Ctrl-C does, is then between the terminal and the command.
    #[arg(short, long)]
    pub(crate) foreground: bool,

    /// What happens to processes that are left when the command has ended
    #[arg(long, value_name = "WHAT", default_value = "end")]
    pub(crate) leftovers: Leftovers,
}
