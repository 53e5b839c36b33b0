//! `cargo xtask waits`: how waits on PostgreSQL behave that go on in slices, beside waits in one piece.

mod cancels;
mod concurrently;
mod crowd;
mod deadlocks;
mod long;
mod loops;
mod server;
mod time_outs;

use anyhow::Result;
use clap::{Parser, Subcommand};
use server::Fixture;

/// Figures of waits on a private PostgreSQL server, each a row of what was counted.
#[derive(Parser)]
#[command(name = "cargo xtask waits", bin_name = "cargo xtask waits")]
struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Time-outs while the holder releases: how many answers lied.
    TimeOuts {
        #[arg(long, default_value_t = 100_000)]
        count: u32,
    },
    /// Tries, waits and releases that an administrator cancels: how many answers lied.
    Cancels {
        #[arg(long, default_value_t = 10_000)]
        count: u32,
    },
    /// A closed loop of clients on one key, in slices and then in one piece: turns and longest waits.
    Loops {
        #[arg(long, default_value_t = 20)]
        clients: usize,
        /// How long each holds the key, in milliseconds.
        #[arg(long, default_value_t = 100)]
        hold: u64,
        /// How long each of the two runs takes, in seconds.
        #[arg(long, default_value_t = 60)]
        seconds: u64,
    },
    /// One wait: its messages, the age of its snapshot, and what the server's log says.
    Long {
        #[arg(long, default_value_t = 600)]
        seconds: u64,
    },
    /// Many waiters on one key: the processor time that they cost the server.
    Crowd {
        #[arg(long, default_value_t = 200)]
        waiters: usize,
        #[arg(long, default_value_t = 20)]
        seconds: u64,
    },
    /// CREATE INDEX CONCURRENTLY by the holder beside waiters: how many failed, and who was told what.
    Concurrently {
        #[arg(long, default_value_t = 100)]
        rounds: u32,
    },
    /// Real deadlocks of two to four sessions: how many were told, and how late.
    Deadlocks {
        #[arg(long, default_value_t = 12)]
        rounds: u32,
    },
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<()> {
    let what = Arguments::parse().what;
    let fixture = Fixture::start()?;
    match what {
        What::TimeOuts { count } => time_outs::run(&fixture, count).await,
        What::Cancels { count } => cancels::run(&fixture, count).await,
        What::Loops { clients, hold, seconds } => {
            loops::run(&fixture, clients, hold, seconds).await
        }
        What::Long { seconds } => long::run(&fixture, seconds).await,
        What::Crowd { waiters, seconds } => crowd::run(&fixture, waiters, seconds).await,
        What::Concurrently { rounds } => concurrently::run(&fixture, rounds).await,
        What::Deadlocks { rounds } => deadlocks::run(&fixture, rounds).await,
    }
}
