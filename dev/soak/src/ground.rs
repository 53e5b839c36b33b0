//! A server that the soak runs on: the server itself, the proxies in front of it, and an observer.

use crate::event::{Kind, Place};
use crate::target::mssql::Mssql;
use crate::target::mysql::MySql;
use crate::target::oracle::Oracle;
use crate::target::postgres::Postgres;
use crate::target::{Observer, Seen};
use anyhow::{Context, Result};
use dlock_testkit::proxy::Proxy;
use dlock_testkit::server::{Engine, Maria, Mysql, PostgreSql, Server};
use std::env;
use std::fmt;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::Arc;

/// What can be done to a private server's process.
#[derive(Clone, Copy, Debug)]
pub struct Machine {
    /// Stops it in order and starts it again.
    pub restart: fn() -> Result<()>,
    /// Kills it and starts it again.
    pub crash: fn() -> Result<()>,
    /// Freezes its main process.
    pub pause: fn() -> Result<()>,
    /// Lets it go on.
    pub unpause: fn() -> Result<()>,
    /// Freezes the process of one session.
    pub halt: fn(u32) -> Result<()>,
    /// Lets it go on.
    pub go_on: fn(u32) -> Result<()>,
    /// Its last words.
    pub log: fn() -> Result<String>,
}

/// A server, with a proxy for each worker.
pub struct Ground {
    /// The engine.
    pub kind: Kind,
    /// The administrator's eyes and hands.
    pub observer: Arc<dyn Observer>,
    /// One proxy per worker: a fault of a network is one worker's.
    pub proxies: Vec<Proxy>,
    /// The process, where it is ours.
    pub machine: Option<Machine>,
    // Lives as long as this does.
    #[allow(dead_code, reason = "kept for its drop")]
    standin: Option<standin_mssql::Server>,
    url: String,
    version: String,
}

impl Ground {
    /// Starts the server, or takes the one given in the environment.
    ///
    /// # Errors
    /// Returns an error if the server cannot be had.
    pub async fn new(kind: Kind, workers: usize) -> Result<Self> {
        match kind {
            Kind::Postgres => Self::of::<PostgreSql>(kind, workers),
            Kind::MariaDb => Self::of::<Maria>(kind, workers),
            Kind::MySql => Self::of::<Mysql>(kind, workers),
            Kind::Mssql => Self::mssql(workers).await,
            Kind::Oracle => Self::oracle(),
        }
    }

    fn of<E: Engine>(kind: Kind, workers: usize) -> Result<Self> {
        let server = Server::<E>::shared()?;
        let url = server.url().to_owned();
        let address = address(&url)?;
        let proxies = (0..workers).map(|_| Proxy::start(address)).collect::<Result<_, _>>()?;
        let observer: Arc<dyn Observer> = match kind {
            Kind::Postgres => Arc::new(Postgres::new(&url, None)?),
            _ => Arc::new(MySql::new(&url, None)?),
        };
        let machine = server.is_private().then_some(Machine {
            restart: || Server::<E>::shared()?.restart(),
            crash: || {
                Server::<E>::shared()?.crash()?;
                Server::<E>::shared()?.restart()
            },
            pause: || Server::<E>::shared()?.pause(),
            unpause: || Server::<E>::shared()?.unpause(),
            halt: |session| server_of_sessions()?.pause_backend(session),
            go_on: |session| server_of_sessions()?.continue_backend(session),
            log: || Server::<E>::shared()?.log(),
        });
        let version = server.version().unwrap_or("given by a URL").to_owned();
        Ok(Self { kind, observer, proxies, machine, standin: None, url, version })
    }

    async fn mssql(workers: usize) -> Result<Self> {
        let (url, standin) = match env::var("DLOCK_MSSQL_URL") {
            Ok(url) => (url, None),
            Err(_) => {
                let standin = standin_mssql::Server::start().await?;
                (standin.url(), Some(standin))
            }
        };
        let version = standin.as_ref().map_or("given by a URL", |_| "stand-in").to_owned();
        let server = Mssql::new(&url, None)?;
        let address = server.address().to_socket_addrs()?.next().context("an address")?;
        let proxies = (0..workers).map(|_| Proxy::start(address)).collect::<Result<_, _>>()?;
        let (kind, observer) = (Kind::Mssql, Arc::new(server));
        Ok(Self { kind, observer, proxies, machine: None, standin, url, version })
    }

    /// It has no proxies: its client library is not ours to look into, and the stand-in has no wire.
    fn oracle() -> Result<Self> {
        let given = env::var("DLOCK_ORACLE_URL").ok();
        let version = given.as_ref().map_or("stand-in", |_| "given by a URL").to_owned();
        let url = given.unwrap_or_else(|| "scott/tiger@soak".to_owned());
        let (kind, observer, proxies) = (Kind::Oracle, Arc::new(Oracle::new(&url)?), Vec::new());
        Ok(Self { kind, observer, proxies, machine: None, standin: None, url, version })
    }

    /// Whether its sessions can only be made in this process.
    #[must_use]
    pub fn is_local(&self) -> bool {
        self.kind == Kind::Oracle
    }

    /// Who holds or awaits a key.
    ///
    /// # Errors
    /// Returns an error, with the server's last words, if it does not answer.
    pub async fn seen(&self) -> Result<Vec<Seen>> {
        self.observer.seen().await.with_context(|| {
            let log = self.machine.and_then(|machine| (machine.log)().ok());
            format!("{} does not answer:\n{}", self.kind, log.unwrap_or_default())
        })
    }

    /// The server's version, where it was started here.
    #[must_use]
    pub fn version(&self) -> String {
        self.version.clone()
    }

    /// Where worker number `worker` finds it.
    #[must_use]
    pub fn place(&self, worker: usize) -> Place {
        let proxy = self.proxies.get(worker).map(Proxy::addr);
        Place { kind: self.kind, url: self.url.clone(), proxy }
    }
}

/// The only server whose sessions are processes.
fn server_of_sessions() -> Result<&'static Server<PostgreSql>> {
    Server::<PostgreSql>::shared()
}

/// The host and port of `scheme://user@host:port/…`.
fn address(url: &str) -> Result<SocketAddr> {
    let (_, rest) = url.split_once("://").context("a URL has a scheme")?;
    let authority = rest.split(['/', '?']).next().unwrap_or(rest);
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    host.to_socket_addrs()?.next().context("the URL's host has an address")
}

impl fmt::Debug for Ground {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ground").field("kind", &self.kind).field("url", &self.url).finish()
    }
}
