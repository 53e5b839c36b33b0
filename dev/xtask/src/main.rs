//! The project's own commands: `cargo xtask <command>`.

mod bench;
mod book;
mod cargo;
mod check;
mod demo;
mod environment;
mod features;
mod grammar;
mod losses;
mod package;
mod report;
pub mod servers;
mod soak;
mod tools;

use anyhow::Result;
use clap::{Parser, Subcommand};

/// The project's own commands.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Two workers, then three processes, compete for one key on a private PostgreSQL, and one is killed.
    Demo,
    /// Gets the servers that the tests need, then checks and tests everything.
    Test {
        /// Only what needs no server: the format, the lints and the unit tests.
        #[arg(long)]
        quick: bool,
    },
    /// Measures this library beside the raw drivers and its peers, and writes docs/bench.
    Bench {
        /// What is passed on: see `cargo xtask bench --help`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Fights for a few keys under every fault there is, and watches every promise.
    Soak {
        /// What is passed on: see `cargo xtask soak --help`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Counts what waits on PostgreSQL do that go on in slices: answers, turns, messages, deadlocks.
    Waits {
        /// What is passed on: see `cargo xtask waits --help`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Builds the guide as a book of HTML, target/book.
    Book,
    /// Loses locks in every way there is, and tells how late holders learn of it: tables in Markdown.
    Losses {
        /// How often what must never happen is tried; what is timed, a tenth as often.
        #[arg(long, default_value_t = 1000)]
        tries: u32,
    },
    /// Packages, feature sets, licences, advisories, MSRV: what has to hold before a release.
    Package,
    /// Gets the database servers that the tests need and that are not there.
    Servers,
    /// Prints the variables that point the tests at the containers of compose.yaml.
    Env,
}

fn main() -> Result<()> {
    match Arguments::parse().command {
        Command::Demo => demo::demo(),
        Command::Test { quick } => check::test(quick),
        Command::Bench { arguments } => bench::bench(&arguments),
        Command::Soak { arguments } => soak::soak(&arguments),
        Command::Waits { arguments } => soak::waits(&arguments),
        Command::Book => book::book(),
        Command::Losses { tries } => losses::losses(tries),
        Command::Package => package::package(),
        Command::Servers => servers::servers(),
        Command::Env => {
            environment::print();
            Ok(())
        }
    }
}
