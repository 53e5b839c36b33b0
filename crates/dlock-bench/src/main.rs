//! This library, the raw drivers and its peers, measured side by side: `cargo xtask bench`.

mod arguments;
mod board;
mod build;
mod eye;
mod figure;
mod locker;
mod machine;
mod measure;
mod place;
mod recorder;
mod report;
mod run;
mod statements;
mod subject;
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
use figure::{Figure, Findings, Layout};

/// Counts what is allocated, for all subjects alike.
#[global_allocator]
static ALLOCATOR: Cap<System> = Cap::new(System, usize::MAX);

/// The bytes that this process has allocated.
fn allocated() -> i64 {
    i64::try_from(ALLOCATOR.allocated()).unwrap_or(i64::MAX)
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    match &arguments.figures {
        Some(file) => one_layout(&arguments, file),
        None => all(&arguments),
    }
}

/// A process of its own for each layout: where it may run is settled before its servers start.
fn all(arguments: &Arguments) -> Result<()> {
    let machine = machine::machine();
    if !arguments.no_python {
        if let Err(error) = venv::set_up() {
            println!("the Python peers are left out: {error:#}");
        }
    }
    let mut figures = Vec::new();
    for layout in arguments.layouts() {
        figures.extend(in_child(layout)?);
    }
    if arguments.build {
        figures.extend(build::measure()?);
    }
    report::write(&Findings { machine, figures }, &arguments.out())
}

fn in_child(layout: Layout) -> Result<Vec<Figure>> {
    let file = tempfile::NamedTempFile::new()?;
    let mut command = child(layout)?;
    command.args(env::args_os().skip(1)).arg("--figures").arg(file.path());
    // The last value of a repeated option wins over none, and a list takes both: say it anew.
    command.env("DLOCK_BENCH_LAYOUT", layout.name());
    let status = command.status().context("starting a layout's own process")?;
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
    let pinned = env::var("DLOCK_BENCH_LAYOUT").is_ok_and(|name| name == Layout::Pinned.name());
    let layout = if pinned { Layout::Pinned } else { Layout::Unpinned };
    let figures = runtime(layout)?.block_on(run::run(arguments, layout))?;
    Ok(std::fs::write(file, serde_json::to_vec(&figures)?)?)
}

fn runtime(layout: Layout) -> Result<Runtime> {
    let mut builder = match layout {
        Layout::Pinned => Builder::new_current_thread(),
        Layout::Unpinned => Builder::new_multi_thread(),
    };
    Ok(builder.enable_all().build()?)
}
