//! A pgbouncer in front of a PostgreSQL server.

use std::path::Path;

use anyhow::Result;
use rustix::process::Signal;

use super::binaries;
use super::private::Private;
use super::process::Kind;
use super::room::Room;
use super::user::User;
use super::{Postgres, port};

const KIND: Kind = Kind { ready: "process up", stop: Signal::TERM, end: (Signal::TERM, "TERM") };

/// A private pgbouncer.
#[derive(Debug)]
pub struct PgBouncer {
    url: String,
    private: Private,
}

impl PgBouncer {
    /// Starts a pgbouncer that pools transactions, in front of a private server.
    ///
    /// # Errors
    /// As [`start_in`](Self::start_in).
    pub fn start(postgres: &Postgres) -> Result<Self> {
        Self::start_in("transaction", postgres)
    }

    /// Starts a pgbouncer in this `pool_mode`, in front of a private server.
    ///
    /// # Errors
    /// Returns an error if pgbouncer is not on this machine (`cargo xtask servers` gets it), if it
    /// does not start, or if the server was given by a URL.
    pub fn start_in(pool_mode: &str, postgres: &Postgres) -> Result<Self> {
        Self::start_with(pool_mode, "", postgres)
    }

    /// The same with these lines more in its configuration.
    ///
    /// # Errors
    /// As [`start_in`](Self::start_in).
    pub fn start_with(pool_mode: &str, lines: &str, postgres: &Postgres) -> Result<Self> {
        let program = binaries::require("pgbouncer", &[Path::new("/usr/sbin")])?;
        let user = User::for_servers()?;
        let (port, room) = (port::free()?, Room::new(user)?);
        let config = config(postgres.port()?, port, pool_mode) + lines;
        let config = room.write("pgbouncer.ini", &config, user)?;
        let private = Private::start(String::new(), port, KIND, room, move || {
            let mut command = user.command(&program);
            command.arg(&config);
            command
        })?;
        Ok(Self { url: format!("postgres://postgres@127.0.0.1:{port}/postgres"), private })
    }

    /// The URL of the server's database `postgres`, through the pooler.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The last lines of its log.
    #[must_use]
    pub fn log(&self) -> String {
        self.private.log()
    }
}

fn config(server: u16, port: u16, pool_mode: &str) -> String {
    format!(
        "[databases]\n\
         * = host=127.0.0.1 port={server} user=postgres\n\
         [pgbouncer]\n\
         listen_addr = 127.0.0.1\n\
         listen_port = {port}\n\
         unix_socket_dir =\n\
         auth_type = any\n\
         pool_mode = {pool_mode}\n\
         default_pool_size = 4\n\
         max_client_conn = 200\n"
    )
}
