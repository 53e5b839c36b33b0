use crate::processes::processes;
use dlock_core::{KeyError, Lock};
use dlock_mysql::mysql_async::prelude::Queryable;
use dlock_mysql::mysql_async::{Conn, Opts, OptsBuilder};
use dlock_mysql::{Key, Locks, LocksBuilder, Named};
use dlock_testkit::locks::{
    FenceFixture, Fixture, LinkFixture, LockFixture, MachineFixture, ProcessFixture,
};
use dlock_testkit::proxy::Proxy;
use dlock_testkit::server::{Engine, Server};
use std::env;
use std::net::{SocketAddr, ToSocketAddrs};
use tokio::sync::{Mutex, MutexGuard};

/// A server, and an observer's session there.
pub(crate) struct Place<E> {
    opts: Opts,
    url: String,
    observer: Mutex<Conn>,
    private: Option<Server<E>>,
}

impl<E: Engine> Place<E> {
    async fn at_url(url: &str, private: Option<Server<E>>) -> Self {
        let opts = opts(url);
        let observer = Mutex::new(Conn::new(opts.clone()).await.expect("a connection"));
        Self { opts, url: url.to_owned(), observer, private }
    }

    /// A new one where the server was away.
    async fn observer(&self) -> MutexGuard<'_, Conn> {
        let mut observer = self.observer.lock().await;
        if observer.ping().await.is_err() {
            *observer = Conn::new(self.opts.clone()).await.expect("a connection");
        }
        observer
    }

    async fn holder(&self, key: &str) -> Option<u64> {
        let look = format!("SELECT IS_USED_LOCK('{key}')");
        let holder: Option<Option<u64>> =
            self.observer().await.query_first(look).await.expect("the observer");
        holder.flatten()
    }

    fn machine(&self) -> &Server<E> {
        self.private.as_ref().expect("a private server")
    }

    fn address(&self) -> SocketAddr {
        let (host, port) = (self.opts.ip_or_hostname(), self.opts.tcp_port());
        (host, port).to_socket_addrs().expect("a host").next().expect("an address")
    }
}

fn opts(url: &str) -> Opts {
    let opts = Opts::from_url(url).expect("a URL");
    OptsBuilder::from_opts(opts).prefer_socket(false).into()
}

impl<E: Engine> Fixture for Place<E> {
    type Driver = dlock_mysql::Server;

    const TELLS_ENDS: bool = false;

    async fn new() -> Self {
        Self::at_url(Server::<E>::shared().expect("a server").url(), None).await
    }

    fn builder(&self) -> LocksBuilder {
        Locks::builder(self.opts.clone())
    }

    fn key(text: &str) -> Key {
        text.try_into().expect("a key")
    }

    fn wrong_keys(locks: &Locks) -> Vec<KeyError> {
        let keys = [String::new(), "x".repeat(65), "a\0b".to_owned(), "🔒".to_owned()];
        keys.into_iter().map(|key| locks.key(key).expect_err("no name")).collect()
    }

    async fn holders(&self, key: &str) -> usize {
        usize::from(self.holder(key).await.is_some())
    }

    async fn waiters(&self, key: &str) -> usize {
        let processes = processes(&mut *self.observer().await).await.expect("the observer");
        processes.iter().filter(|process| process.awaits(key)).count()
    }

    async fn kill(&self, key: &str) {
        if let Some(id) = self.holder(key).await {
            // It may have ended by itself.
            let _ = self.observer().await.query_drop(format!("KILL {id}")).await;
        }
    }
}

impl<E: Engine> LinkFixture for Place<E> {
    type Link = Proxy;

    fn link(&self) -> (Proxy, LocksBuilder) {
        let proxy = Proxy::start(self.address()).expect("a proxy");
        let through = OptsBuilder::from_opts(self.opts.clone())
            .ip_or_hostname(proxy.addr().ip().to_string())
            .tcp_port(proxy.addr().port());
        (proxy, Locks::builder(through))
    }
}

impl<E: Engine> LockFixture for Place<E> {
    type Raw = Named<Conn>;

    async fn lock(&self, key: &str) -> Lock<Self::Raw> {
        let conn = Conn::new(self.opts.clone()).await.expect("a connection");
        Lock::new(conn, key).expect("a key")
    }
}

impl<E: Engine> MachineFixture for Place<E> {
    fn is_private() -> bool {
        env::var_os(E::URL).is_none()
    }

    async fn private() -> Self {
        let server = Server::<E>::start(&[]).expect("a server");
        let url = server.url().to_owned();
        Self::at_url(&url, Some(server)).await
    }

    async fn freeze(&self) {
        self.machine().pause().expect("a pause");
    }

    async fn thaw(&self) {
        self.machine().unpause().expect("an end of the pause");
    }

    async fn stop(&self) {
        self.machine().stop().expect("an end");
    }

    async fn start(&self) {
        self.machine().restart().expect("a start");
    }
}

impl<E: Engine> ProcessFixture for Place<E> {
    fn url(&self) -> String {
        self.url.clone()
    }

    fn at(url: &str) -> LocksBuilder {
        Locks::builder(opts(url))
    }
}

impl<E: Engine> FenceFixture for Place<E> {
    type Connection = Conn;

    async fn connection(url: &str) -> Conn {
        Conn::new(opts(url)).await.expect("a connection")
    }
}
