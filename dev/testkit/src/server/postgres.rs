//! A PostgreSQL server.

use std::env;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use rustix::process::Signal;

use super::private::Private;
use super::process::{Kind, signal};
use super::room::Room;
use super::user::User;
use super::{Engine, Server, Setting, Shared, binaries, port, template};

const BIN: &str = "DLOCK_PG_BIN";

const KIND: Kind = Kind {
    ready: "system is ready to accept",
    // The immediate shutdown: milliseconds, and the shared memory is given back.
    stop: Signal::QUIT,
    end: (Signal::QUIT, "QUIT"),
};

/// A PostgreSQL server, private or given by `DLOCK_POSTGRES_URL`.
///
/// `DLOCK_PG_BIN` names the directory of another version's binaries.
pub type Postgres = Server<PostgreSql>;

/// The engine of [`Postgres`].
#[derive(Debug)]
pub struct PostgreSql;

impl Engine for PostgreSql {
    const URL: &'static str = "DLOCK_POSTGRES_URL";

    fn start(settings: &[Setting<'_>]) -> Result<Server<Self>> {
        start(settings, &[])
    }

    fn shared() -> &'static Shared<Self> {
        static SHARED: Shared<PostgreSql> = Shared::new();
        &SHARED
    }
}

/// Starts one, with these files in its directory: those whose names are settings are what they are set to.
fn start(settings: &[Setting<'_>], files: &[(&str, &str)]) -> Result<Postgres> {
    let (postgres, user) = (find()?, User::for_servers()?);
    let version = version(&postgres)?;
    let room = fill(&postgres, &version, user)?;
    let (port, data) = (port::free()?, room.data());
    let mut settings: Vec<String> = settings.iter().map(|(k, v)| format!("{k}={v}")).collect();
    for (setting, text) in files {
        let path = room.write(setting, text, user)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600))?;
        if !setting.contains('/') {
            settings.push(format!("{setting}={}", path.display()));
        }
    }
    let private = Private::start(version, port, KIND, room, move || {
        command(user, &postgres, &data, port, &settings)
    })?;
    Ok(Server::private(format!("postgres://postgres@127.0.0.1:{port}/postgres"), private))
}

impl Postgres {
    /// Starts a private server with TLS, by this certificate and key, in PEM.
    ///
    /// # Errors
    /// As [`Server::start`].
    pub fn start_with_tls(certificate: &str, key: &str) -> Result<Self> {
        start(&[("ssl", "on")], &[("ssl_cert_file", certificate), ("ssl_key_file", key)])
    }

    /// Starts a private server that lets in whom this `pg_hba.conf` lets in.
    ///
    /// # Errors
    /// As [`Server::start`].
    pub fn start_with_rules(settings: &[Setting<'_>], hba: &str) -> Result<Self> {
        start(settings, &[("hba_file", hba)])
    }

    /// Starts a standby, which waits for a primary that is not there.
    ///
    /// # Errors
    /// As [`Server::start`].
    pub fn start_standby() -> Result<Self> {
        start(&[], &[("data/standby.signal", "")])
    }

    /// Freezes one backend (SIGSTOP); `pid` is its `pg_backend_pid()`.
    ///
    /// # Errors
    /// Returns an error if the server is not private or has no such process.
    pub fn pause_backend(&self, pid: u32) -> Result<()> {
        self.ours().and_then(|_| signal(pid, Signal::STOP))
    }

    /// Lets a frozen backend go on (SIGCONT).
    ///
    /// # Errors
    /// Returns an error if the server is not private or has no such process.
    pub fn continue_backend(&self, pid: u32) -> Result<()> {
        self.ours().and_then(|_| signal(pid, Signal::CONT))
    }
}

fn fill(postgres: &Path, version: &str, user: User) -> Result<Room> {
    let room = Room::new(user)?;
    let initdb = postgres.with_file_name("initdb");
    template::fill(&room, &format!("postgres-{version}"), user, |data| {
        template::run(&mut init(user, &initdb, data)).map(drop)
    })?;
    Ok(room)
}

fn init(user: User, initdb: &Path, data: &Path) -> Command {
    let mut command = user.command(initdb);
    command.args(["--username=postgres", "--auth=trust", "--encoding=UTF8", "--no-locale"]);
    // Small WAL segments make a small template: it is copied for each server.
    command.args(["--no-sync", "--wal-segsize=1", "--pgdata"]).arg(data);
    command
}

fn command(user: User, postgres: &Path, data: &Path, port: u16, settings: &[String]) -> Command {
    let mut command = user.command(postgres);
    command.arg("-D").arg(data).args(["-p", &port.to_string()]);
    // TCP on loopback alone: a socket file would need a short path and a place of its own.
    command.args(["-h", "127.0.0.1", "-k", "", "-F", "-N", "300"]);
    for setting in settings {
        command.args(["-c", setting]);
    }
    command
}

/// `DLOCK_PG_BIN`, else `PATH`, else the newest of Debian's or of the fetched ones.
fn find() -> Result<PathBuf> {
    if let Some(dir) = env::var_os(BIN) {
        let postgres = Path::new(&dir).join("postgres");
        ensure!(postgres.is_file(), "{BIN} is {}: no `postgres` there", dir.display());
        return Ok(postgres.canonicalize()?);
    }
    let mut dirs = binaries::versioned(Path::new("/usr/lib/postgresql"), "");
    dirs.extend(binaries::versioned(&binaries::servers_dir()?, "postgres-"));
    let dirs: Vec<PathBuf> = dirs.into_iter().map(|dir| dir.join("bin")).collect();
    binaries::require("postgres", &dirs.iter().map(PathBuf::as_path).collect::<Vec<_>>())
}

fn version(postgres: &Path) -> Result<String> {
    let said = template::run(Command::new(postgres).arg("--version"))?;
    let version = said.split_whitespace().find(|word| word.starts_with(char::is_numeric));
    version.map(str::to_owned).with_context(|| format!("no version in {said:?}"))
}
