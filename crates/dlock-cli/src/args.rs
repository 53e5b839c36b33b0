//! The command line.

mod hold;
mod lead;
mod run;
mod shape;
mod top;

pub(crate) use hold::{Guard, Hold};
pub(crate) use lead::Lead;
pub(crate) use run::Run;
pub(crate) use top::{Column, Top};

use crate::url::Source;
use clap::builder::styling::{AnsiColor, Styles};
use clap::{Args, Parser, Subcommand};

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
    #[command(after_help = shape::ROWS)]
    List(Look),
    /// Shows who holds a key, and who waits for it; exits with 1 where nobody holds it
    #[command(after_help = shape::ROWS)]
    Who(Key),
    Free(Free),
    Top(Top),
    #[command(after_help = shape::FINDINGS)]
    /// Looks for what would make locks lie on this server; exits with 1 where it finds such a thing
    Doctor(Look),
    /// Makes the tables that --fenced needs, where they are not there
    Setup,
    #[command(after_help = shape::NAMES)]
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
#[command(after_help = shape::ROWS)]
pub(crate) struct Free {
    /// The key
    pub(crate) key: String,

    /// Do not ask
    #[arg(short, long)]
    pub(crate) yes: bool,

    #[command(flatten)]
    pub(crate) look: Look,
}
