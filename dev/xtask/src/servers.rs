//! `cargo xtask servers`: the database servers that the tests need.
//!
//! What is on the machine is used; what is missing is fetched, packages of the distribution first,
//! containers where there are none.

mod apt;
mod mysql;
mod postgres;
mod run;

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::cargo::root;
use run::{quiet, run};

/// A server that the tests start, and where it comes from.
struct Server {
    name: &'static str,
    program: &'static str,
    package: &'static str,
    place: &'static str,
}

const PACKAGED: [Server; 4] = [
    Server {
        name: "PostgreSQL",
        program: "postgres",
        package: "postgresql",
        place: "/usr/lib/postgresql/*/bin",
    },
    Server { name: "MariaDB", program: "mariadbd", package: "mariadb-server", place: "/usr/sbin" },
    Server { name: "pgbouncer", program: "pgbouncer", package: "pgbouncer", place: "/usr/sbin" },
    // Not a server: its peers among the tests, and a grammar, are installed into environments of it.
    Server { name: "Python", program: "python3", package: "python3-venv", place: "/usr/bin" },
];

const ADVICE: &str = "the servers cannot be fetched here: install PostgreSQL, MariaDB, MySQL and \
    pgbouncer (on Debian, run this as root), start a Docker engine and run this again, or set \
    DLOCK_POSTGRES_URL, DLOCK_MARIADB_URL and DLOCK_MYSQL_URL";

/// Reports the servers that are there and gets those that are not.
///
/// # Errors
/// Returns an error if a server is missing and cannot be had.
pub(crate) fn servers() -> Result<()> {
    let dir = root().join("target/servers");
    let missing = missing(&dir);
    if !missing.is_empty() && !apt::is_there() {
        return containers();
    }
    let packages: Vec<&str> = missing.iter().filter_map(|name| package(name)).collect();
    if !missing.is_empty() {
        apt::update()?;
    }
    if !packages.is_empty() {
        apt::install(&packages)?;
    }
    if mysql::find(&dir).is_none() {
        mysql::fetch(&dir.join("mysql"))?;
    }
    if postgres::find(&dir).is_none() {
        postgres::fetch(&dir);
    }
    report(&dir)
}

/// Whether every server can be started from programs on this machine.
pub(crate) fn are_here() -> bool {
    missing(&root().join("target/servers")).is_empty()
}

/// The names of the servers that the tests cannot do without and that are not there.
fn missing(dir: &Path) -> Vec<&'static str> {
    let packaged = PACKAGED.iter().filter(|server| find(server).is_none());
    let mut names: Vec<_> = packaged.map(|server| server.name).collect();
    if mysql::find(dir).is_none() {
        names.push(mysql::NAME);
    }
    names
}

fn package(name: &str) -> Option<&'static str> {
    PACKAGED.iter().find(|server| server.name == name).map(|server| server.package)
}

/// Where the server's program is: on `PATH`, or where Debian puts it.
fn find(server: &Server) -> Option<PathBuf> {
    on_path(server.program).or_else(|| match server.place.split_once("/*/") {
        None => Some(Path::new(server.place).join(server.program)).filter(|file| file.is_file()),
        Some((parent, rest)) => Path::new(parent)
            .read_dir()
            .ok()?
            .filter_map(|entry| Some(entry.ok()?.path().join(rest).join(server.program)))
            .filter(|file| file.is_file())
            .max(),
    })
}

fn on_path(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|dir| dir.join(program)).find(|file| file.is_file())
}

/// Starts every database in a container, where an engine answers.
fn containers() -> Result<()> {
    if !quiet("docker", &["info"]) {
        bail!(ADVICE);
    }
    let compose = root().join("compose.yaml");
    let file = compose.to_str().context("the workspace's path is text")?;
    run("docker", &["compose", "--file", file, "up", "--wait"])?;
    println!("the containers are up: set the DLOCK_*_URL variables as compose.yaml says");
    Ok(())
}

/// One line for each server: where it is, or that it is missing.
fn report(dir: &Path) -> Result<()> {
    let mut found: Vec<_> = PACKAGED.iter().map(|server| (server.name, find(server))).collect();
    found.push((mysql::NAME, mysql::find(dir)));
    found.push((postgres::NAME, postgres::find(dir)));
    for (name, place) in &found {
        match place {
            Some(place) => println!("{name:<14} {}", place.display()),
            None => println!("{name:<14} missing"),
        }
    }
    match missing(dir).as_slice() {
        [] => Ok(()),
        names => bail!("still missing: {}", names.join(", ")),
    }
}
