//! Proxies that give out numbers of their own for sessions, and servers that do so anew: what a lock ends is
//! its own.

use crate::ended::leave_a_statement;
use crate::server::{Flavour, address, conn, holder, number, through, until_awaited, waiter};
use dlock_core::Wait;
use dlock_mysql::mysql_async::{Conn, Opts, OptsBuilder};
use dlock_mysql::{Error, Lock};
use dlock_testkit::cases::fresh_key;
use dlock_testkit::server::Server;
use std::any::Any;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;
use tokio::time::timeout;

/// A connection that was told this number by a proxy.
async fn told<E: Flavour>(id: u32) -> Conn {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    let server = address::<E>();
    thread::spawn(move || {
        pass(&listener, || server, Some(id));
        while pass(&listener, || server, None) {}
    });
    let conn = Conn::new(through::<E>(addr)).await.unwrap();
    assert_eq!(conn.id(), id);
    conn
}

/// Lets one connection pass.
fn pass(listener: &TcpListener, server: impl Fn() -> SocketAddr, id: Option<u32>) -> bool {
    let Ok((client, _)) = listener.accept() else { return false };
    let Ok(server) = TcpStream::connect(server()) else { return false };
    let (mut up, mut down) =
        ((client.try_clone().unwrap(), server.try_clone().unwrap()), (server, client));
    thread::spawn(move || {
        drop(std::io::copy(&mut up.0, &mut up.1));
        drop(up.1.shutdown(Shutdown::Write));
    });
    thread::spawn(move || {
        if let Some(id) = id {
            greet(&mut down, id);
        }
        drop(std::io::copy(&mut down.0, &mut down.1));
        drop(down.1.shutdown(Shutdown::Write));
    });
    true
}

/// The server's greeting with another number: behind four bytes, the protocol's version, and the server's,
/// which ends with a zero.
fn greet((server, client): &mut (TcpStream, TcpStream), id: u32) {
    let mut greeting = [0; 1024];
    let length = server.read(&mut greeting).unwrap();
    let end = greeting[5..].iter().position(|byte| *byte == 0).unwrap();
    greeting[5 + end + 1..][..4].copy_from_slice(&id.to_le_bytes());
    client.write_all(&greeting[..length]).unwrap();
}

/// A dropped wait takes its own waiter from the queue, not that of the session whose number it was told, and
/// keeps its session: at the first use and later.
pub(crate) async fn dropped_wait<E: Flavour>() {
    let (key, mut observer) = (fresh_key("victim"), conn::<E>().await);
    let mut holding = Lock::new(conn::<E>().await, key.as_str()).unwrap();
    assert!(holding.acquire(Wait::No).await.unwrap());
    let victim = conn::<E>().await;
    let id = victim.id();
    let mut lock = Lock::new(told::<E>(id).await, key.as_str()).unwrap();
    let mut waiting = Lock::new(victim, key.as_str()).unwrap();
    let waits = tokio::spawn(async move { (waiting.acquire(Wait::Forever).await, waiting) });
    assert_eq!(until_awaited(&mut observer, &key).await, id);
    for _ in 0..3 {
        let wait = lock.acquire(Wait::Forever);
        assert!(tokio::time::timeout(Duration::from_millis(100), wait).await.is_err());
        lock.close().await.unwrap();
        assert_eq!(number(lock.session().unwrap(), "SELECT 7").await, Some(7));
        assert_eq!(waiter(&mut observer, &key).await, Some(id), "the victim waits on");
    }
    holding.release().await.unwrap();
    let (granted, mut waiting) = waits.await.unwrap();
    assert!(granted.unwrap());
    waiting.release().await.unwrap();
}

/// A guard that is aborted ends its own session, and so does a release that has to.
pub(crate) async fn ended_session<E: Flavour>() {
    let mut observer = conn::<E>().await;
    for aborts in [true, false] {
        let (key, mut victim) = (fresh_key("victim"), conn::<E>().await);
        let mut lock = Lock::new(told::<E>(victim.id()).await, key.as_str()).unwrap();
        let mut guard = lock.lock().await.unwrap();
        let id = holder(&mut observer, &key).await.unwrap();
        leave_a_statement(&mut guard, &mut observer, id.try_into().unwrap(), 60).await;
        if aborts {
            guard.abort().await.unwrap();
        } else {
            guard.release().await.unwrap();
        }
        assert_eq!(holder(&mut observer, &key).await, None);
        assert_eq!(number(&mut victim, "SELECT 7").await, Some(7), "the victim lives");
    }
}

/// A key that the caller holds is refused, whatever number the session was told.
pub(crate) async fn held_by_hand<E: Flavour>() {
    let (key, other) = (fresh_key("by-hand"), conn::<E>().await);
    let mut session = told::<E>(other.id()).await;
    assert_eq!(number(&mut session, &format!("SELECT GET_LOCK('{key}',0)")).await, Some(1));
    let mut lock = Lock::new(session, key.as_str()).unwrap();
    assert!(matches!(lock.acquire(Wait::Forever).await, Err(Error::AlreadyHeld)));
}

/// After the server's restart the number of a lost session is somebody else's.
pub(crate) async fn restarted<E: Flavour>() {
    let server = Server::<E>::start(&[]).unwrap();
    let opts = OptsBuilder::from_opts(Opts::from_url(server.url()).unwrap()).prefer_socket(false);
    let connect = async || Conn::new(opts.clone()).await.unwrap();
    let key = fresh_key("restarted");
    let mut lock = Lock::new(connect().await, key.as_str()).unwrap();
    let mut guard = lock.lock().await.unwrap();
    let id = guard.session().id();
    tokio::time::sleep(Duration::from_secs(4)).await;
    tokio::task::block_in_place(|| server.stop().unwrap());
    server.restart().unwrap();
    let mut others = Vec::new();
    while others.last().is_none_or(|conn: &Conn| conn.id() < id) {
        others.push(connect().await);
    }
    let answer = guard.release().await;
    assert!(matches!(answer, Err(Error::Lost(_))), "{answer:?}");
    lock.close().await.unwrap();
    for other in &mut others {
        assert_eq!(number(other, "SELECT 7").await, Some(7), "{} of others lives", other.id());
    }
}

/// An address at which another server answers from some time on.
struct FailedOver {
    is_over: Arc<AtomicBool>,
    opts: OptsBuilder,
    /// A session of the server before.
    session: Conn,
    /// One of the same number on the server after.
    victim: Conn,
    servers: [Box<dyn Any + Send>; 2],
}

impl FailedOver {
    async fn new<E: Flavour>() -> Self {
        let servers = [(); 2].map(|()| Server::<E>::start(&[]).unwrap());
        let opts = servers.each_ref().map(|server| Opts::from_url(server.url()).unwrap());
        let addresses = opts.each_ref().map(|it| SocketAddr::from(([127, 0, 0, 1], it.tcp_port())));
        let is_over = Arc::new(AtomicBool::new(false));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let now = Arc::clone(&is_over);
        let over = move || usize::from(now.load(Ordering::Relaxed));
        thread::spawn(move || while pass(&listener, || addresses[over()], None) {});
        let [before, after] = opts.map(|it| OptsBuilder::from_opts(it).prefer_socket(false));
        let opts = before.ip_or_hostname("127.0.0.1").tcp_port(port);
        let mut victim = Conn::new(after.clone()).await.unwrap();
        let mut session = Conn::new(opts.clone()).await.unwrap();
        while session.id() != victim.id() {
            match session.id() < victim.id() {
                true => session = Conn::new(opts.clone()).await.unwrap(),
                false => victim = Conn::new(after.clone()).await.unwrap(),
            }
        }
        let servers = servers.map(|server| Box::new(server) as Box<dyn Any + Send>);
        Self { is_over, opts, session, victim, servers }
    }
}

/// A guard that is aborted after the address went to another server ends nobody there.
pub(crate) async fn aborted_after_a_failover<E: Flavour>() {
    let FailedOver { is_over, opts, session, mut victim, servers } = FailedOver::new::<E>().await;
    let (mut observer, id) = (Conn::new(opts).await.unwrap(), session.id());
    let mut lock = Lock::new(session, "failed-over").unwrap();
    let mut guard = lock.lock().await.unwrap();
    leave_a_statement(&mut guard, &mut observer, id, 60).await;
    is_over.store(true, Ordering::Relaxed);
    guard.abort().await.unwrap();
    assert_eq!(number(&mut victim, "SELECT 7").await, Some(7), "the victim lives");
    drop(servers);
}

/// A wait that is dropped then interrupts nobody there.
pub(crate) async fn dropped_after_a_failover<E: Flavour>() {
    let FailedOver { is_over, opts, session, mut victim, servers } = FailedOver::new::<E>().await;
    let mut holding = Lock::new(Conn::new(opts).await.unwrap(), "failed-over").unwrap();
    assert!(holding.acquire(Wait::No).await.unwrap());
    let sleeps = tokio::spawn(async move { number(&mut victim, "SELECT SLEEP(2)").await });
    let mut lock = Lock::new(session, "failed-over").unwrap();
    let wait = timeout(Duration::from_millis(300), lock.acquire(Wait::Forever));
    is_over.store(true, Ordering::Relaxed);
    assert!(wait.await.is_err());
    assert_eq!(sleeps.await.unwrap(), Some(0), "the victim sleeps on");
    drop(servers);
}
