//! `dlock completions` and `dlock man`.

use crate::args::Cli;
use crate::status::Failure;
use clap::CommandFactory;
use clap_complete::Shell;
use std::io::{self, Write};

/// Writes what a shell needs to complete the arguments of `dlock`.
pub(crate) fn completions(shell: Shell) -> Result<u8, Failure> {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "dlock", &mut text);
    write(&text)
}

/// Writes the manual page, of `dlock` and all that it does.
pub(crate) fn man() -> Result<u8, Failure> {
    let mut text = Vec::new();
    let mut command = Cli::command();
    command.build();
    let failed = |error| Failure::system("writing", &error);
    clap_mangen::Man::new(command.clone()).render(&mut text).map_err(failed)?;
    for task in command.get_subcommands().filter(|task| !task.is_hide_set()) {
        clap_mangen::Man::new(task.clone()).render(&mut text).map_err(failed)?;
    }
    write(&text)
}

/// A reader that has seen enough is no failure.
fn write(text: &[u8]) -> Result<u8, Failure> {
    match io::stdout().write_all(text) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::system("writing", &error))
        }
        _ => Ok(0),
    }
}
