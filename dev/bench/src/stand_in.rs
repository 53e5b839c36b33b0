//! What answers in a server's place, as a process of its own: what it uses is not the client's.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread;

use anyhow::{Context, Result};
use clap::ValueEnum;
use standin_mssql::Server;
use tokio::runtime::Builder;

use crate::tether;

/// What it stands in for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Role {
    /// SQL Server.
    Mssql,
    /// A server that takes no time: it sends back what it is sent.
    Echo,
}

/// Listens until the input ends.
pub(crate) fn run(role: Role) -> Result<()> {
    match role {
        Role::Mssql => {
            let server = Builder::new_current_thread().build()?.block_on(Server::start())?;
            serve(server.addr().port())
        }
        Role::Echo => {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
            let port = listener.local_addr()?.port();
            thread::spawn(move || listener.incoming().flatten().for_each(attend));
            serve(port)
        }
    }
}

fn serve(port: u16) -> Result<()> {
    println!("{port}");
    io::stdout().flush()?;
    tether::wait();
    Ok(())
}

fn attend(stream: TcpStream) {
    thread::spawn(move || echo(stream));
}

/// Until the client leaves.
fn echo(mut stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut buffer = [0; 512];
    loop {
        match stream.read(&mut buffer)? {
            0 => return Ok(()),
            length => stream.write_all(&buffer[..length])?,
        }
    }
}

/// The process: it ends with this.
#[derive(Debug)]
pub(crate) struct StandIn {
    child: Child,
    pub(crate) port: u16,
}

impl StandIn {
    pub(crate) fn start(role: Role) -> Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        let name = role.to_possible_value().context("a name")?;
        command.args(["--stand-in", name.get_name()]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let port = port(child.stdout.take().context("an output")?)?;
        Ok(Self { child, port })
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        // Its input ends, and it with that.
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

/// The port, which is the first line that it prints.
fn port(output: impl Read) -> Result<u16> {
    let mut line = String::new();
    BufReader::new(output).read_line(&mut line)?;
    line.trim().parse().context("the stand-in did not say where it listens")
}
