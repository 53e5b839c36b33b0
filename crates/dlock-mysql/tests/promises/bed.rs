//! MySQL and MariaDB laid out for the promises.

use crate::kind::Kind;
use crate::processes::processes;
use dlock_core::SessionRef;
use dlock_mysql::mysql_async::prelude::Queryable;
use dlock_mysql::mysql_async::{self, Conn, Opts, OptsBuilder, Result};
use dlock_mysql::{Lock, Named};
use dlock_testkit::bed::Bed;
use dlock_testkit::server::{Engine, Maria, Mysql, Server};
use std::marker::PhantomData;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::Arc;
use tokio::sync::Mutex;

/// What the two servers call differently.
pub(crate) trait Flavour: Engine {
    /// Limits the session's statements to 200 ms.
    const HURRY: &'static str;
}

impl Flavour for Mysql {
    const HURRY: &'static str = "SET SESSION max_execution_time=200";
}

impl Flavour for Maria {
    const HURRY: &'static str = "SET SESSION max_statement_time=0.2";
}

/// A server with an observer of its own.
pub(crate) struct MysqlBed<E, K> {
    observer: Arc<Mutex<Conn>>,
    kind: PhantomData<fn() -> (E, K)>,
}

/// How to connect to the server that the tests share.
pub(crate) fn opts<E: Engine>() -> Opts {
    let server = Server::<E>::shared().unwrap();
    let opts = Opts::from_url(server.url()).unwrap();
    OptsBuilder::from_opts(opts).prefer_socket(false).into()
}

impl<E: Flavour, K: Kind> MysqlBed<E, K> {
    /// Asks in a task: a case may drop its look at the server, and the next look wants its own answer.
    async fn ask(&self, statement: String) -> Result<Vec<Option<u64>>> {
        let observer = Arc::clone(&self.observer);
        let look = async move { observer.lock().await.query(statement).await };
        tokio::spawn(look).await.unwrap()
    }

    /// Who waits for the key.
    async fn waiting(&self, key: &str) -> Vec<u32> {
        let observer = Arc::clone(&self.observer);
        let look = async move { processes(&mut *observer.lock().await).await };
        let processes = tokio::spawn(look).await.unwrap().unwrap();
        processes.iter().filter(|it| it.awaits(key)).map(|it| it.id).collect()
    }
}

impl<E: Flavour, K: Kind> Bed for MysqlBed<E, K> {
    type Raw = Named<K::Session>;

    async fn new() -> Self {
        let observer = Arc::new(Mutex::new(Conn::new(opts::<E>()).await.unwrap()));
        Self { observer, kind: PhantomData }
    }

    async fn lock(&self, key: &str) -> Lock<K::Session> {
        K::lock(opts::<E>(), key).await
    }

    async fn hurried(&self, key: &str) -> Lock<K::Session> {
        let opts = OptsBuilder::from_opts(opts::<E>()).init(vec![E::HURRY]);
        K::lock(opts.into(), key).await
    }

    fn address(&self) -> Option<SocketAddr> {
        let opts = opts::<E>();
        (opts.ip_or_hostname(), opts.tcp_port()).to_socket_addrs().unwrap().next()
    }

    async fn lock_through(&self, proxy: SocketAddr, key: &str) -> Lock<K::Session> {
        let opts = OptsBuilder::from_opts(opts::<E>());
        let opts = opts.ip_or_hostname(proxy.ip().to_string()).tcp_port(proxy.port());
        K::lock(opts.into(), key).await
    }

    async fn holders(&self, key: &str) -> usize {
        self.ask(format!("SELECT IS_USED_LOCK('{key}')")).await.unwrap().iter().flatten().count()
    }

    async fn waiters(&self, key: &str) -> usize {
        self.waiting(key).await.len()
    }

    async fn kill(&self, key: &str) {
        let mut sessions: Vec<u64> = self.waiting(key).await.into_iter().map(u64::from).collect();
        // The holder last: its end grants the key to whoever still waits.
        let holder = self.ask(format!("SELECT IS_USED_LOCK('{key}')")).await.unwrap();
        sessions.extend(holder.iter().flatten());
        for id in sessions {
            // It may have gone by itself.
            let _ = self.ask(format!("KILL {id}")).await;
        }
    }

    async fn echo(session: SessionRef<'_, Self::Raw>, number: i64) -> Result<i64> {
        let row: Option<i64> = session.query_first(format!("SELECT {number}")).await?;
        row.ok_or_else(|| mysql_async::Error::Other("no row".into()))
    }
}
