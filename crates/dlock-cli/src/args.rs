//! The command line.

use crate::duration;
use crate::terms::Leftovers;
use crate::url::Source;
use clap::builder::styling::{AnsiColor, Styles};
use clap::{Args, Parser, Subcommand};
use std::ffi::OsString;
use std::time::Duration;

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default());

const EXAMPLES: &str = "\
Examples:
  dlock run report -- ./report.sh            wait for the key, then run
  dlock run report --no-wait -- ./report.sh  run, or exit with 75 where somebody else does
  dlock run deploy --wait 5m -- ./deploy.sh  wait for five minutes at most

The server's URL is looked for in --url-file, --url, DLOCK_URL and DATABASE_URL, in this order.";

/// Runs commands while a lock is held, in PostgreSQL, MySQL, MariaDB, SQL Server or Oracle
#[derive(Debug, Parser)]
#[command(name = "dlock", version, styles = STYLES, after_help = EXAMPLES)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) server: Source,

    #[command(subcommand)]
    pub(crate) task: Task,
}

/// What `dlock` is to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Task {
    Run(Run),
    Lead(Lead),
    /// Shows who holds which keys, and who waits
    List(Look),
    /// Shows who holds a key, and who waits for it; exits with 1 where nobody holds it
    Who(Key),
    Free(Free),
    /// Looks for what would make locks lie on this server; exits with 1 where it finds such a thing
    Doctor(Look),
    /// Makes the tables that --fenced needs, where they are not there
    Setup,
    /// Shows the name or number of a key on each kind of server, without asking any
    Key(Key),
    /// Writes what a shell needs to complete the arguments
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Writes the manual page
    Man,
}

/// How something is shown.
#[derive(Debug, Args)]
pub(crate) struct Look {
    /// Write JSON, for programs
    #[arg(long)]
    pub(crate) json: bool,
}

/// A key to be looked at.
#[derive(Debug, Args)]
pub(crate) struct Key {
    /// The key
    pub(crate) key: String,

    #[command(flatten)]
    pub(crate) look: Look,
}

/// Ends the sessions that hold a key, with all that they hold
///
/// What ends with them is shown, and asked about, before.
#[derive(Debug, Args)]
pub(crate) struct Free {
    /// The key
    pub(crate) key: String,

    /// Do not ask
    #[arg(short, long)]
    pub(crate) yes: bool,

    #[command(flatten)]
    pub(crate) look: Look,
}

/// Runs a command whenever the key is held, again and again when the lock was lost
///
/// When the command ends by itself, so does `dlock`, with its status, unless --again is given.
#[derive(Debug, Args)]
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
    /// When the server is silent it is a third of the lease at most: all has to be gone before the lock may
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
