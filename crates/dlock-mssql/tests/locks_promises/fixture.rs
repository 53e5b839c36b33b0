use crate::server::{self, Tcp, config, connect, count, run, seen, url};
use dlock_core::{KeyError, Lock};
use dlock_locks::UrlDriver;
use dlock_mssql::{App, Key, Locks, LocksBuilder, Server, tiberius::Config};
use dlock_testkit::locks::{Fixture, LinkFixture, LockFixture, MachineFixture, ProcessFixture};
use dlock_testkit::proxy::Proxy;
use std::net::{SocketAddr, ToSocketAddrs};
use tokio::sync::Mutex;

/// A server, and an administrator's session on it.
pub(crate) struct Mssql {
    config: Config,
    observer: Mutex<Tcp>,
    /// What stands still, or goes away, in place of a server that only this fixture uses.
    machine: Option<Proxy>,
}

impl Fixture for Mssql {
    type Driver = Server;

    const HAS_LEASE: bool = false;

    async fn new() -> Self {
        let config = config().await;
        let observer = Mutex::new(connect(&config).await);
        Self { config, observer, machine: None }
    }

    fn builder(&self) -> LocksBuilder {
        match &self.machine {
            Some(machine) => Locks::builder(towards(machine.addr(), &self.config)),
            None => Locks::builder(self.config.clone()),
        }
    }

    fn key(text: &str) -> Key {
        Key::try_from(text).expect("a fit key")
    }

    fn wrong_keys(locks: &Locks) -> Vec<KeyError> {
        let wrong = ["".to_owned(), "a\0".to_owned(), "x".repeat(256)];
        wrong.into_iter().map(|key| locks.key(key).map(drop).expect_err("a wrong key")).collect()
    }

    async fn holders(&self, key: &str) -> usize {
        count(&mut *self.observer.lock().await, key, false).await
    }

    async fn waiters(&self, key: &str) -> usize {
        count(&mut *self.observer.lock().await, key, true).await
    }

    async fn kill(&self, key: &str) {
        let mut observer = self.observer.lock().await;
        for session in seen(&mut observer, key, false).await {
            run(&mut observer, &format!("KILL {session}")).await;
        }
    }
}

fn address(config: &Config) -> SocketAddr {
    let mut addresses = config.get_addr().to_socket_addrs().expect("a host");
    addresses.find(SocketAddr::is_ipv4).expect("an address")
}

/// The same user and database, by way of what listens here.
fn towards(proxy: SocketAddr, config: &Config) -> Config {
    let mut through = config.clone();
    through.host(proxy.ip());
    through.port(proxy.port());
    through
}

impl LinkFixture for Mssql {
    type Link = Proxy;

    fn link(&self) -> (Proxy, LocksBuilder) {
        let proxy = Proxy::start(address(&self.config)).expect("a proxy");
        let builder = Locks::builder(towards(proxy.addr(), &self.config));
        (proxy, builder)
    }
}

impl LockFixture for Mssql {
    type Raw = App<Tcp>;

    async fn lock(&self, key: &str) -> Lock<App<Tcp>> {
        Lock::new(connect(&self.config).await, key).expect("a fit key")
    }
}

/// The machine is a proxy in front of the stand-in: to its clients it stands still as a server does.
impl MachineFixture for Mssql {
    fn is_private() -> bool {
        server::is_standin()
    }

    async fn private() -> Self {
        let fixture = Self::new().await;
        let machine = Proxy::start(address(&fixture.config)).expect("a proxy");
        Self { machine: Some(machine), ..fixture }
    }

    async fn freeze(&self) {
        self.machine.as_ref().expect("a private one").stall();
    }

    async fn thaw(&self) {
        self.machine.as_ref().expect("a private one").resume();
    }

    async fn stop(&self) {
        let machine = self.machine.as_ref().expect("a private one");
        machine.refuse();
        machine.cut();
    }

    async fn start(&self) {
        self.machine.as_ref().expect("a private one").resume();
    }
}

impl ProcessFixture for Mssql {
    fn url(&self) -> String {
        url()
    }

    fn at(url: &str) -> LocksBuilder {
        Locks::builder(Server::from_url(url).expect("DLOCK_MSSQL_URL is an ADO.NET string"))
    }
}
