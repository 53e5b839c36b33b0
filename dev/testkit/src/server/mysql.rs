//! A MySQL server, and what it shares with MariaDB.

use std::ffi::{OsStr, OsString};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use rustix::process::Signal;

use super::private::Private;
use super::process::Kind;
use super::room::Room;
use super::user::User;
use super::{Engine, Server, Setting, Shared, binaries, port, template};

pub(super) const KIND: Kind = Kind {
    // MariaDB and MySQL both log it once, at the very end of the start.
    ready: "ready for connections",
    stop: Signal::TERM,
    // Nobody will miss the data.
    end: (Signal::KILL, "KILL"),
};

/// A MySQL server, private or given by `DLOCK_MYSQL_URL`.
pub type MySql = Server<Mysql>;

/// The engine of [`MySql`].
#[derive(Debug)]
pub struct Mysql;

impl Engine for Mysql {
    const URL: &'static str = "DLOCK_MYSQL_URL";

    fn start(settings: &[Setting<'_>]) -> Result<Server<Self>> {
        let (mysqld, user) = (Mysqld::find()?, User::for_servers()?);
        let (port, version) = (port::free()?, mysqld.version()?);
        let room = mysqld.fill(&version, user)?;
        let options = options(&room, port, settings, &mysqld.options())?;
        let options = room.write("my.cnf", &options, user)?;
        let private = Private::start(version, port, KIND, room, move || {
            command(user, &mysqld.program(), &options)
        })?;
        Ok(Server::private(url(port), private))
    }

    fn shared() -> &'static Shared<Self> {
        static SHARED: Shared<Mysql> = Shared::new();
        &SHARED
    }
}

/// A `mysqld`: the machine's own, or one unpacked from packages of another release together with
/// the dynamic linker and the libraries that it was built for.
#[derive(Debug)]
enum Mysqld {
    Installed(PathBuf),
    Unpacked { root: PathBuf, start: Vec<OsString> },
}

impl Mysqld {
    fn find() -> Result<Self> {
        let root = binaries::servers_dir()?.join("mysql");
        if root.join("usr/sbin/mysqld").is_file() {
            let start = linked(&root)?;
            return Ok(Self::Unpacked { root, start });
        }
        let mysqld = binaries::require("mysqld", &[Path::new("/usr/sbin")])?;
        // Debian's MariaDB packages install themselves under this name.
        let is_mysql = !mysqld.ends_with("mariadbd");
        is_mysql.then_some(Self::Installed(mysqld)).with_context(|| {
            "mysqld on this machine is MariaDB: run `cargo xtask servers` for MySQL".to_owned()
        })
    }

    fn program(&self) -> Vec<&OsStr> {
        match self {
            Self::Installed(mysqld) => vec![mysqld.as_os_str()],
            Self::Unpacked { start, .. } => start.iter().map(OsString::as_os_str).collect(),
        }
    }

    /// What the compiled-in paths no longer say.
    fn options(&self) -> String {
        let Self::Unpacked { root, .. } = self else {
            return String::new();
        };
        let usr = root.join("usr").display().to_string();
        format!(
            "basedir={usr}\nmysqlx=0\n\
             lc-messages-dir={usr}/share/mysql\n\
             character-sets-dir={usr}/share/mysql/charsets\n\
             plugin-dir={usr}/lib/mysql/plugin\n\
             innodb-redo-log-capacity=8M\n"
        )
    }

    fn version(&self) -> Result<String> {
        let program = self.program();
        let mut command = Command::new(program[0]);
        command.args(&program[1..]).args(["--no-defaults", "--version"]);
        let said = template::run(&mut command)?;
        let version = said.split_once("Ver ").and_then(|(_, rest)| rest.split(['-', ' ']).next());
        version.map(str::to_owned).with_context(|| format!("no version in {said:?}"))
    }

    fn fill(&self, version: &str, user: User) -> Result<Room> {
        let room = Room::new(user)?;
        template::fill(&room, &format!("mysql-{version}"), user, |data| {
            let text = format!("[mysqld]\ndatadir={}\n{}", data.display(), self.options());
            let place = data.parent().context("data lies in a room")?;
            let options = place.join("init.cnf");
            std::fs::write(&options, text)?;
            user.own(&options)?;
            let mut command = command(user, &self.program(), &options);
            template::run(command.arg("--initialize-insecure")).map(drop)
        })?;
        Ok(room)
    }
}

/// The unpacked server's command line: its own dynamic linker, its own libraries.
fn linked(root: &Path) -> Result<Vec<OsString>> {
    let lib = root.join("usr/lib");
    let mut folders = lib.read_dir()?.filter_map(|entry| Some(entry.ok()?.path()));
    let libraries = folders.find(|dir| dir.join("libc.so.6").is_file());
    let libraries = libraries.context("the unpacked MySQL has no libc")?;
    let mut linkers = libraries.read_dir()?.filter_map(|entry| Some(entry.ok()?.path()));
    let linker = linkers.find(|file| is_linker(file));
    let linker = linker.context("the unpacked MySQL has no dynamic linker")?;
    let mysqld = root.join("usr/sbin/mysqld");
    Ok(vec![linker.into(), "--library-path".into(), libraries.into(), mysqld.into()])
}

fn is_linker(file: &Path) -> bool {
    file.file_name().and_then(OsStr::to_str).is_some_and(|name| name.starts_with("ld-linux-"))
}

/// A command that runs a server with that one file of options.
pub(super) fn command(user: User, program: &[&OsStr], options: &Path) -> Command {
    let mut command = user.command(Path::new(program[0]));
    command.args(&program[1..]).arg(format!("--defaults-file={}", options.display()));
    command
}

/// `dlock` may connect from anywhere without a password, and may do everything.
const ACCOUNT: &str = "CREATE USER IF NOT EXISTS dlock@'%';\n\
    GRANT ALL ON *.* TO dlock@'%' WITH GRANT OPTION;\n\
    CREATE DATABASE IF NOT EXISTS dlock;\n";

/// The file of options of a private server, and the account it is told to make.
pub(super) fn options(
    room: &Room,
    port: u16,
    settings: &[Setting<'_>],
    more: &str,
) -> Result<String> {
    let place = room.path().display();
    std::fs::write(room.path().join("init.sql"), ACCOUNT)?;
    let mut text = format!(
        "[mysqld]\nbind-address=127.0.0.1\nport={port}\ndatadir={place}/data\n\
         socket={place}/socket\npid-file={place}/pid\nsecure-file-priv=\n\
         init-file={place}/init.sql\nskip-name-resolve\nskip-log-bin\n\
         innodb-flush-log-at-trx-commit=2\nmax-connections=400\n{more}"
    );
    for (name, value) in settings {
        writeln!(text, "{name}={value}")?;
    }
    Ok(text)
}

/// The URL of a private server, over TCP: the driver would change to the socket behind our back.
pub(super) fn url(port: u16) -> String {
    format!("mysql://dlock@127.0.0.1:{port}/dlock?prefer_socket=false")
}
