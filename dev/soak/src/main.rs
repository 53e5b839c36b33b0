//! The soak as a program: the supervisor, and, started again by it, each worker.

use anyhow::{Context, Result};
use clap::{Parser, ValueEnum};
use dlock_soak::contest::Contest;
use dlock_soak::event::{Job, Kind};
use dlock_soak::supervisor::{Plan, soak};
use dlock_soak::worker;
use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Fights for a few keys under every fault there is, and watches every promise.
#[derive(Parser)]
#[command(name = "cargo xtask soak", bin_name = "cargo xtask soak")]
struct Arguments {
    /// For how long.
    #[arg(long, default_value_t = 10.0)]
    minutes: f64,
    /// What all random numbers start from; by default the clock.
    #[arg(long)]
    seed: Option<u64>,
    /// On which servers; may be given again. `all` is every one of them.
    #[arg(long, default_value = "all")]
    server: Vec<Which>,
    /// With how many processes at a time.
    #[arg(long, default_value_t = 3)]
    workers: usize,
    /// With how many tasks per process and server.
    #[arg(long, default_value_t = 4)]
    tasks: u64,
    /// What is fought for; may be given again. By default everything.
    #[arg(long)]
    contest: Vec<Contest>,
    /// Writes the summary here too, as JSON.
    #[arg(long)]
    json: Option<PathBuf>,
    /// A worker's job.
    #[arg(long, hide = true)]
    worker: Option<String>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Which {
    Postgres,
    #[value(name = "mariadb")]
    MariaDb,
    #[value(name = "mysql")]
    MySql,
    Mssql,
    Oracle,
    All,
}

impl Which {
    fn kinds(self) -> &'static [Kind] {
        match self {
            Which::Postgres => &[Kind::Postgres],
            Which::MariaDb => &[Kind::MariaDb],
            Which::MySql => &[Kind::MySql],
            Which::Mssql => &[Kind::Mssql],
            Which::Oracle => &[Kind::Oracle],
            Which::All => Kind::value_variants(),
        }
    }
}

#[tokio::main]
async fn main() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    match &arguments.worker {
        Some(job) => {
            let job: Job = serde_json::from_str(job).context("a worker's job is JSON")?;
            worker::process(job).await.map(|()| ExitCode::SUCCESS)
        }
        None => supervise(arguments).await,
    }
}

async fn supervise(arguments: Arguments) -> Result<ExitCode> {
    let mut kinds: Vec<Kind> =
        arguments.server.iter().flat_map(|which| which.kinds()).copied().collect();
    kinds.sort();
    kinds.dedup();
    let clock = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let seed = arguments.seed.unwrap_or(clock.as_secs());
    println!("seed {seed}, {} minutes, servers {kinds:?}", arguments.minutes);
    let time = Duration::from_secs_f64(arguments.minutes * 60.0);
    let (workers, tasks) = (arguments.workers, arguments.tasks);
    let contests = match arguments.contest {
        all if all.is_empty() => Contest::value_variants().to_vec(),
        chosen => chosen,
    };
    let summary = soak(Plan { seed, time, kinds, workers, tasks, contests }).await?;
    println!("{summary}");
    let json = serde_json::to_string_pretty(&summary)?;
    match arguments.json {
        Some(path) => fs::write(path, json)?,
        None => println!("{json}"),
    }
    let failed = !summary.violations.is_empty();
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}
