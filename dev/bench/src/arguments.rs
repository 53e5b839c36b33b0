//! The command line.

use std::path::{Path, PathBuf};

use clap::{Parser, ValueEnum};

use crate::figure::Layout;
use crate::measure::Measure;
use crate::place::Database;
use crate::stand_in::Role;

/// Measures this library beside the raw drivers and its peers, on private servers.
#[derive(Clone, Debug, Parser)]
#[command(name = "cargo xtask bench", bin_name = "cargo xtask bench")]
pub(crate) struct Arguments {
    /// Databases to measure; all by default.
    #[arg(long, value_delimiter = ',')]
    database: Vec<Database>,
    /// Measures to take; all by default.
    #[arg(long, value_delimiter = ',')]
    measure: Vec<Measure>,
    /// Layouts to run in; both by default.
    #[arg(long, value_delimiter = ',')]
    layout: Vec<Layout>,
    /// Interleaved rounds of each measure.
    #[arg(long, default_value_t = 9)]
    pub(crate) rounds: u32,
    /// Also measures what each feature costs to build from nothing (minutes).
    #[arg(long)]
    pub(crate) build: bool,
    /// Leaves the Python peer out.
    #[arg(long)]
    pub(crate) no_python: bool,
    /// Where the JSON and the charts go; docs/bench by default.
    #[arg(long)]
    out: Option<PathBuf>,
    /// Runs one layout in this process and writes its figures to this file.
    #[arg(long, hide = true)]
    pub(crate) figures: Option<PathBuf>,
    /// Stands in for a server until the input ends.
    #[arg(long, hide = true)]
    pub(crate) stand_in: Option<Role>,
}

impl Arguments {
    pub(crate) fn databases(&self) -> Vec<Database> {
        or_all(&self.database)
    }

    pub(crate) fn measures(&self) -> Vec<Measure> {
        or_all(&self.measure)
    }

    pub(crate) fn layouts(&self) -> Vec<Layout> {
        or_all(&self.layout)
    }

    pub(crate) fn out(&self) -> PathBuf {
        let default = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/bench");
        self.out.clone().unwrap_or_else(default)
    }
}

fn or_all<T: ValueEnum + Clone>(asked: &[T]) -> Vec<T> {
    if asked.is_empty() { T::value_variants().to_vec() } else { asked.to_vec() }
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser, ValueEnum};

    use super::Arguments;
    use crate::figure::Layout;
    use crate::place::Database;

    #[test]
    fn without_arguments_everything_is_measured() {
        Arguments::command().debug_assert();
        let arguments = Arguments::parse_from(["bench"]);
        assert_eq!(arguments.databases(), Database::value_variants());
        assert_eq!(arguments.layouts(), [Layout::Pinned, Layout::Unpinned]);
        assert!(!arguments.build && arguments.stand_in.is_none());
    }

    #[test]
    fn a_list_is_asked_for_with_commas() {
        let arguments = Arguments::parse_from(["bench", "--database", "mysql,mssql"]);
        assert_eq!(arguments.databases(), [Database::Mysql, Database::Mssql]);
    }
}
