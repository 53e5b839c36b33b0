//! The stand-in for SQL Server, as a process.

use std::io::{BufRead, BufReader, Read, Write};

use anyhow::{Context, Result};
use standin_mssql::Server;
use tokio::runtime::Builder;

use crate::tether;

/// What tells this program to be one.
pub(crate) const OPTION: &str = "--stand-in";

/// Listens until the input ends.
pub(crate) fn run() -> Result<()> {
    let server = Builder::new_current_thread().build()?.block_on(Server::start())?;
    println!("{}", server.addr().port());
    std::io::stdout().flush()?;
    tether::wait();
    Ok(())
}

/// The port, which is the first line that it prints.
pub(crate) fn port(output: impl Read) -> Result<u16> {
    let mut line = String::new();
    BufReader::new(output).read_line(&mut line)?;
    line.trim().parse().context("the stand-in did not say where it listens")
}
