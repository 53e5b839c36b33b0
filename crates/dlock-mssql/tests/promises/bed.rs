use crate::server::{Tcp, config, connect, connect_through, count, run, sessions};
use dlock_core::SessionRef;
use dlock_mssql::{App, Lock, Place};
use dlock_testkit::bed::Bed;
use std::marker::PhantomData;
use std::net::{SocketAddr, ToSocketAddrs};
use tiberius::Config;
use tiberius::error::Error;
use tokio::sync::Mutex;
use tokio_util::compat::Compat;

/// A kind of session.
pub(crate) trait Kind: Send + Sync + 'static {
    type Session: Place<Stream = Compat<tokio::net::TcpStream>, Exclusive: Send + Sync>
        + Send
        + Sync
        + 'static;
    const NAME: &'static str;

    fn of(client: Tcp) -> Self::Session;
}

/// A `Client`.
pub(crate) enum Owned {}
/// A `&mut Client`. The client lives for as long as the process.
pub(crate) enum Lent {}

impl Kind for Owned {
    type Session = Tcp;
    const NAME: &'static str = "client";

    fn of(client: Tcp) -> Tcp {
        client
    }
}

impl Kind for Lent {
    type Session = &'static mut Tcp;
    const NAME: &'static str = "mut_client";

    fn of(client: Tcp) -> &'static mut Tcp {
        Box::leak(Box::new(client))
    }
}

/// A place for the promises: a server, and an observer on it.
pub(crate) struct Ground<K> {
    config: Config,
    observer: Mutex<Tcp>,
    kind: PhantomData<fn() -> K>,
}

/// "Process ID is not an active process ID": it has ended by itself.
const ENDED: u32 = 6106;

async fn kill(observer: &mut Tcp, session: i32) {
    let killed = match observer.simple_query(format!("KILL {session}")).await {
        Ok(answer) => answer.into_results().await.map(drop),
        Err(error) => Err(error),
    };
    assert!(
        matches!(killed.as_ref().map_err(Error::code), Ok(()) | Err(Some(ENDED))),
        "{killed:?}"
    );
}

fn lock<K: Kind>(client: Tcp, key: &str) -> Lock<K::Session> {
    Lock::new(K::of(client), key).expect("a fit key")
}

impl<K: Kind> Bed for Ground<K> {
    type Raw = App<K::Session>;

    /// tiberius refuses a client on which a write failed, and does not say whether the connection is over.
    const PROVES_END: bool = false;

    async fn new() -> Self {
        let config = config().await;
        let observer = Mutex::new(connect(&config).await);
        Self { config, observer, kind: PhantomData }
    }

    async fn lock(&self, key: &str) -> Lock<K::Session> {
        lock::<K>(connect(&self.config).await, key)
    }

    async fn hurried(&self, key: &str) -> Lock<K::Session> {
        let mut client = connect(&self.config).await;
        run(&mut client, "SET LOCK_TIMEOUT 200").await;
        lock::<K>(client, key)
    }

    fn address(&self) -> Option<SocketAddr> {
        self.config.get_addr().to_socket_addrs().ok()?.next()
    }

    async fn lock_through(&self, proxy: SocketAddr, key: &str) -> Lock<K::Session> {
        lock::<K>(connect_through(proxy, &self.config).await, key)
    }

    async fn holders(&self, key: &str) -> usize {
        count(&mut *self.observer.lock().await, key, false).await
    }

    async fn waiters(&self, key: &str) -> usize {
        count(&mut *self.observer.lock().await, key, true).await
    }

    async fn kill(&self, key: &str) {
        let mut observer = self.observer.lock().await;
        for session in sessions(&mut observer, key).await {
            kill(&mut observer, session).await;
        }
    }

    async fn echo(session: SessionRef<'_, Self::Raw>, number: i64) -> Result<i64, Error> {
        let row = session.query("SELECT @P1", &[&number]).await?.into_row().await?;
        Ok(row.and_then(|row| row.get(0)).expect("one number"))
    }
}
