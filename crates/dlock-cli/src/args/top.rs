//! The arguments of `dlock top`.

use crate::duration;
use clap::{Args, ValueEnum};
use std::time::Duration;

/// Shows who holds which keys, and who waits, live on a terminal
///
/// Keys: the arrows (or j, k), PageUp, PageDown, Home and End move; / filters; s sorts by the next column and r
/// turns the order round; the space bar looks at once; f asks whether to end the sessions that hold the key; q
/// quits.
#[derive(Debug, Args)]
pub(crate) struct Top {
    /// How often the server is asked: once in 100 milliseconds at most
    #[arg(short, long, value_name = "TIME", default_value = "2s", value_parser = duration::interval)]
    pub(crate) interval: Duration,

    /// Show only what has this in it; a key is found by its text, too, where the server has a number for it
    #[arg(short, long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    pub(crate) filter: String,

    /// The column to sort by
    #[arg(short, long, value_name = "COLUMN", default_value = "key")]
    pub(crate) sort: Column,
}

/// What rows may be sorted by.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum Column {
    Key,
    State,
    Session,
    User,
    Host,
    Application,
    Since,
}
