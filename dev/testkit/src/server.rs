//! Private database servers: free loopback ports, data of their own, gone with the process that
//! started them.
//!
//! Each server is either *private* (started here, from the binaries on the machine or from those
//! that `cargo xtask servers` fetched) or *given* by a URL in the environment. A server that is
//! neither there nor given is an error with one sentence, never a silent pass.

mod binaries;
mod keeper;
mod mariadb;
mod mysql;
mod pgbouncer;
mod port;
mod postgres;
mod private;
mod process;
mod room;
mod template;
#[cfg(test)]
mod tests;
mod user;

use std::env;
use std::fmt;
use std::marker::PhantomData;
use std::sync::OnceLock;

use anyhow::{Context, Result, anyhow};

use private::Private;

pub use binaries::servers_dir;
pub use mariadb::{Maria, MariaDb};
pub use mysql::{MySql, Mysql};
pub use pgbouncer::PgBouncer;
pub use postgres::{PostgreSql, Postgres};

/// One setting of a server: its name and its value, as in the server's own configuration.
pub type Setting<'a> = (&'a str, &'a str);

/// The slot of the server that all tests of a process share.
pub type Shared<E> = OnceLock<Result<Server<E>, String>>;

/// What is particular to one database engine.
pub trait Engine: Sized + 'static {
    /// The environment variable whose URL stands for a private server.
    const URL: &'static str;

    /// Starts a private server of this engine.
    ///
    /// # Errors
    /// Returns an error if it is not on this machine or does not start.
    fn start(settings: &[Setting<'_>]) -> Result<Server<Self>>;

    /// Where the shared one is kept.
    fn shared() -> &'static Shared<Self>;
}

/// A database server, private or given by a URL in the environment.
pub struct Server<E> {
    url: String,
    private: Option<Private>,
    engine: PhantomData<fn() -> E>,
}

impl<E: Engine> Server<E> {
    /// Starts a private server, with these settings on top of the engine's defaults.
    ///
    /// # Errors
    /// Returns an error if the server is not on this machine (`cargo xtask servers` gets it) or if
    /// it does not start; then its log is in the error.
    pub fn start(settings: &[Setting<'_>]) -> Result<Self> {
        E::start(settings)
    }

    /// The one server that this process's tests share: that of the engine's URL in the
    /// environment, else a private one.
    ///
    /// # Errors
    /// As [`Server::start`].
    pub fn shared() -> Result<&'static Self> {
        let shared = E::shared().get_or_init(|| match env::var(E::URL) {
            Ok(url) => Ok(Self::given(url)),
            Err(_) => Self::start(&[]).map_err(|error| format!("{error:#}")),
        });
        shared.as_ref().map_err(|error| anyhow!("{error}"))
    }
}

impl<E> Server<E> {
    /// A server that somebody else runs.
    fn given(url: String) -> Self {
        Self { url, private: None, engine: PhantomData }
    }

    fn private(url: String, private: Private) -> Self {
        Self { url, private: Some(private), engine: PhantomData }
    }

    /// The URL to connect to, with a user that may do everything.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// `false` if it was given by a URL: then it cannot be stopped, frozen or crashed.
    #[must_use]
    pub fn is_private(&self) -> bool {
        self.private.is_some()
    }

    /// The version, such as `15.18`; `None` if the server was given by a URL.
    #[must_use]
    pub fn version(&self) -> Option<&str> {
        self.private.as_ref().map(Private::version)
    }

    /// The TCP port on 127.0.0.1.
    ///
    /// # Errors
    /// Returns an error if the server is not private.
    pub fn port(&self) -> Result<u16> {
        self.ours().map(Private::port)
    }

    /// The last lines of its log.
    ///
    /// # Errors
    /// Returns an error if the server is not private.
    pub fn log(&self) -> Result<String> {
        self.ours().map(Private::log)
    }

    /// Stops the server in order; one that is stopped stays stopped.
    ///
    /// # Errors
    /// Returns an error if the server is not private.
    pub fn stop(&self) -> Result<()> {
        self.ours().map(Private::stop)
    }

    /// Starts the server again, on the same port and with the same data; stops it first if it runs.
    ///
    /// # Errors
    /// Returns an error if the server is not private or does not start.
    pub fn restart(&self) -> Result<()> {
        self.stop()?;
        self.ours()?.run()
    }

    /// Kills all of its processes with SIGKILL.
    ///
    /// # Errors
    /// Returns an error if the server is not private.
    pub fn crash(&self) -> Result<()> {
        self.ours().map(Private::crash)
    }

    /// Freezes the server's main process (SIGSTOP), with all of its threads.
    ///
    /// # Errors
    /// Returns an error if the server is not private or not running.
    pub fn pause(&self) -> Result<()> {
        self.ours()?.pause()
    }

    /// Lets a frozen server go on (SIGCONT).
    ///
    /// # Errors
    /// Returns an error if the server is not private or not running.
    pub fn unpause(&self) -> Result<()> {
        self.ours()?.unpause()
    }

    fn ours(&self) -> Result<&Private> {
        self.private.as_ref().context("this server was given by a URL: it is not ours to touch")
    }
}

impl<E> fmt::Debug for Server<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("url", &self.url).field("private", &self.private).finish()
    }
}
