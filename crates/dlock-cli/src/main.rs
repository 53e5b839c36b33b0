#![doc = include_str!("../README.md")]

#[cfg(not(unix))]
compile_error!("dlock needs the processes and signals of a Unix system");

mod args;
mod clock;
mod control;
mod doctor;
mod duration;
mod guardian;
mod key;
mod launch;
mod lead;
mod locks;
mod look;
mod manual;
mod processes;
mod run;
mod signals;
mod sockets;
mod status;
mod supervisor;
mod table;
mod terms;
mod top;
mod url;
mod work;

use args::{Cli, Task};
use clap::Parser;
use clap::error::ErrorKind;
use status::Failure;
use std::env;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut arguments = env::args_os();
    let program = arguments.next().unwrap_or_else(|| OsString::from("dlock"));
    let first = env::args_os().nth(1);
    match first.as_deref().and_then(|first| first.to_str()) {
        Some(terms::GUARDIAN) => guardian::main(arguments.skip(1)),
        Some(launch::NAME) => launch::main(arguments.skip(1)),
        _ => exit(perform(std::iter::once(program).chain(arguments))),
    }
}

/// The tasks of people.
fn perform(arguments: impl Iterator<Item = OsString>) -> Result<u8, Failure> {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => return refuse(&error),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::system("starting", &error))?;
    runtime.block_on(task(&cli))
}

async fn task(cli: &Cli) -> Result<u8, Failure> {
    let server = &cli.server;
    match &cli.task {
        Task::Run(task) => run::run(server, task).await,
        Task::Lead(task) => lead::lead(server, task).await,
        Task::List(task) => look::list(server, task).await,
        Task::Who(task) => look::who(server, task).await,
        Task::Free(task) => look::free(server, task).await,
        Task::Top(task) => top::top(server, task).await,
        Task::Doctor(task) => doctor::doctor(server, task).await,
        Task::Setup => doctor::setup(server).await,
        Task::Key(task) => key::key(task),
        Task::Completions { shell } => manual::completions(*shell),
        Task::Man => manual::man(),
    }
}

/// What was asked for is shown, and what makes no sense is a sentence.
fn refuse(error: &clap::Error) -> Result<u8, Failure> {
    if !error.use_stderr() {
        // Nobody may be there to read it.
        let _ = error.print();
        return Ok(0);
    }
    if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        return Err(Failure::new(status::USAGE, "no task is named; see `dlock --help`"));
    }
    let text = error.to_string();
    let words = text.lines().map(str::trim).take_while(|line| !line.is_empty());
    let sentence = Vec::from_iter(words).join(" ");
    let sentence = sentence.strip_prefix("error: ").unwrap_or(&sentence);
    let sentence = url::hidden(sentence);
    Err(Failure::new(status::USAGE, format!("{sentence}; see `dlock --help`")))
}

fn exit(performed: Result<u8, Failure>) -> ExitCode {
    match performed {
        Ok(status) => ExitCode::from(status),
        Err(failure) => {
            if let Some(sentence) = failure.sentence {
                status::say(&sentence);
            }
            ExitCode::from(failure.status)
        }
    }
}

/// This program, also where its file was replaced meanwhile.
fn program() -> PathBuf {
    let own = PathBuf::from("/proc/self/exe");
    if own.exists() { own } else { env::current_exe().unwrap_or_else(|_| PathBuf::from("dlock")) }
}
