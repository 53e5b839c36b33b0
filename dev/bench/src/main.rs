//! This library, the raw drivers and its peers, measured side by side: `cargo xtask bench`.

mod arguments;
mod board;
mod build;
mod eye;
mod figure;
mod findings;
mod goal;
mod locker;
mod machine;
mod measure;
mod message;
mod place;
mod recorder;
mod report;
mod run;
mod server;
mod source;
mod stand_in;
mod statements;
mod subject;
mod tether;
mod venv;

use std::alloc::System;
use std::env;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use cap::Cap;
use clap::Parser;
use tokio::runtime::{Builder, Runtime};

use arguments::Arguments;
use figure::Layout;
use findings::Findings;
use run::Found;

/// Counts what is allocated, for all subjects alike.
#[global_allocator]
static ALLOCATOR: Cap<System> = Cap::new(System, usize::MAX);

/// The bytes that this process has allocated.
fn allocated() -> i64 {
    i64::try_from(ALLOCATOR.allocated()).unwrap_or(i64::MAX)
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    match (arguments.stand_in, &arguments.figures) {
        (Some(role), _) => stand_in::run(role),
        (None, Some(file)) => one_layout(&arguments, file),
        (None, None) => all(&arguments),
    }
}

/// A process of its own for each layout: where it may run is settled before its servers start.
fn all(arguments: &Arguments) -> Result<()> {
    let machine = machine::machine();
    if !arguments.no_python
        && let Err(error) = venv::set_up(&arguments.databases())
    {
        println!("the Python peers are left out: {error:#}");
    }
    let mut found = Found::default();
    for layout in arguments.layouts() {
        found.add(in_child(layout));
    }
    if arguments.build {
        found.add(build::measure());
    }
    report::write(&Findings::new(machine, found.figures), &arguments.out())?;
    ensure!(!found.has_failed, "not everything could be measured");
    Ok(())
}

fn in_child(layout: Layout) -> Result<Found> {
    let file = tempfile::NamedTempFile::new()?;
    let mut command = child(layout)?;
    command.args(env::args_os().skip(1)).arg("--figures").arg(file.path());
    // The last value of a repeated option wins over none, and a list takes both: say it anew.
    command.env("DLOCK_BENCH_LAYOUT", layout.name());
    let status = tether::run(&mut command).context("starting a layout's own process")?;
    ensure!(status.success(), "the {} run failed: {status}", layout.name());
    Ok(serde_json::from_slice(&std::fs::read(file.path())?)?)
}

fn child(layout: Layout) -> Result<Command> {
    let program = env::current_exe()?;
    if layout == Layout::Unpinned {
        return Ok(Command::new(program));
    }
    let mut command = Command::new("taskset");
    command.args(["--cpu-list", "0"]).arg(program);
    Ok(command)
}

fn one_layout(arguments: &Arguments, file: &Path) -> Result<()> {
    tether::hold();
    let pinned = env::var("DLOCK_BENCH_LAYOUT").is_ok_and(|name| name == Layout::Pinned.name());
    let layout = if pinned { Layout::Pinned } else { Layout::Unpinned };
    let found = runtime(layout)?.block_on(run::run(arguments, layout))?;
    Ok(std::fs::write(file, serde_json::to_vec(&found)?)?)
}

fn runtime(layout: Layout) -> Result<Runtime> {
    let mut builder = match layout {
        Layout::Pinned => Builder::new_current_thread(),
        Layout::Unpinned | Layout::Neither => Builder::new_multi_thread(),
    };
    Ok(builder.enable_all().build()?)
}
