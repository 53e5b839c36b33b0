//! A MariaDB server.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::mysql::{KIND, command, options, url};
use super::private::Private;
use super::room::Room;
use super::user::User;
use super::{Engine, Server, Setting, Shared, binaries, port, template};

/// A MariaDB server, private or given by `DLOCK_MARIADB_URL`.
pub type MariaDb = Server<Maria>;

/// The engine of [`MariaDb`].
#[derive(Debug)]
pub struct Maria;

impl Engine for Maria {
    const URL: &'static str = "DLOCK_MARIADB_URL";

    fn start(settings: &[Setting<'_>]) -> Result<Server<Self>> {
        let mariadbd = binaries::require("mariadbd", &[Path::new("/usr/sbin")])?;
        let user = User::for_servers()?;
        let (port, version) = (port::free()?, version(&mariadbd)?);
        let room = fill(&version, user)?;
        let options = room.write("my.cnf", &options(&room, port, settings, LOG)?, user)?;
        let private = Private::start(version, port, KIND, room, move || {
            command(user, &[mariadbd.as_os_str()], &options)
        })?;
        Ok(Server::private(url(port), private))
    }

    fn shared() -> &'static Shared<Self> {
        static SHARED: Shared<Maria> = Shared::new();
        &SHARED
    }
}

/// Small redo logs make a small template: it is copied for each server.
const LOG: &str = "innodb-log-file-size=8M\n";

fn fill(version: &str, user: User) -> Result<Room> {
    let (room, install) = (Room::new(user)?, installer()?);
    template::fill(&room, &format!("mariadb-{version}"), user, |data| {
        let mut command = user.command(&install);
        command.args(["--no-defaults", "--auth-root-authentication-method=normal"]);
        command.args(["--skip-test-db", "--skip-name-resolve", "--innodb-log-file-size=8M"]);
        command.arg(format!("--datadir={}", data.display()));
        template::run(&mut command).map(drop)
    })?;
    Ok(room)
}

fn installer() -> Result<PathBuf> {
    binaries::require("mariadb-install-db", &[Path::new("/usr/bin")])
}

/// The version in `mariadbd  Ver 10.11.19-MariaDB-… for …`.
fn version(mariadbd: &Path) -> Result<String> {
    let said = template::run(Command::new(mariadbd).args(["--no-defaults", "--version"]))?;
    let version = said.split_once("Ver ").and_then(|(_, rest)| rest.split(['-', ' ']).next());
    version.map(str::to_owned).with_context(|| format!("no version in {said:?}"))
}
