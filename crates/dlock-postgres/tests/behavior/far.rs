//! A server that is far away: every byte takes its time, each way.

use crate::eye::{Eye, address, connect, connect_to, show, towards};
use dlock_core::Wait;
use dlock_postgres::Lock;
use dlock_testkit::polled::polled;
use std::mem::forget;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::Instant;

/// Half of a round trip between continents.
const ONE_WAY: Duration = Duration::from_millis(150);

/// A statement sent behind a dropped wait gets its own answer there, too.
#[tokio::test]
async fn the_next_statement_is_never_hit() {
    let mut holder = Lock::new(connect().await, "far").unwrap();
    assert!(holder.acquire(Wait::No).await.unwrap());
    let (client, eye) =
        (connect_to(&towards(relay(address(), ONE_WAY).await)).await, Eye::open().await);
    for _ in 0..3 {
        let mut lock = Lock::new(&client, "far").unwrap();
        let wait = tokio::time::timeout(Duration::from_millis(400), lock.lock());
        let (dropped, ()) = tokio::join!(wait, eye.until("far", (1, 1)));
        assert!(dropped.is_err());
        eye.until("far", (1, 0)).await;
        assert_eq!(show(&client, "SELECT 77, pg_sleep(1.5)").await, "77");
    }
}

/// A close that was forgotten while it was under way keeps the client from nobody.
#[tokio::test]
async fn a_close_that_was_forgotten() {
    let client = connect_to(&towards(relay(address(), ONE_WAY).await)).await;
    let (mut lock, eye) = (Lock::new(client, "far-forgotten").unwrap(), Eye::open().await);
    drop(lock.lock().await.unwrap());
    let mut close = Box::pin(lock.close());
    assert!(polled(&mut close, 1).await.is_none());
    forget(close);
    if let Some(client) = lock.session() {
        assert_eq!(show(client, "SELECT 8").await, "8");
    }
    lock.close().await.unwrap();
    assert_eq!(eye.sees("far-forgotten").await, (0, 0));
    assert_eq!(show(lock.session().expect("it is closed"), "SELECT 9").await, "9");
    assert!(lock.acquire(Wait::No).await.unwrap());
}

/// Forwards to the server, and back, a while later.
pub(crate) async fn relay(server: SocketAddr, one_way: Duration) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((near, _)) = listener.accept().await {
            let (from_near, to_near) = near.into_split();
            let (from_far, to_far) = TcpStream::connect(server).await.unwrap().into_split();
            tokio::spawn(later(from_near, to_far, one_way));
            tokio::spawn(later(from_far, to_near, one_way));
        }
    });
    address
}

/// Every piece, and the end, is passed on when it is due; later ones do not wait for it meanwhile.
async fn later(
    mut from: impl AsyncRead + Unpin + Send + 'static,
    mut to: impl AsyncWrite + Unpin,
    one_way: Duration,
) {
    let (pieces, mut due) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        let mut piece = [0; 8192];
        while let Ok(length) = from.read(&mut piece).await {
            let sent = pieces.send((Instant::now() + one_way, piece[..length].to_vec()));
            if length == 0 || sent.is_err() {
                break;
            }
        }
    });
    while let Some((when, piece)) = due.recv().await {
        tokio::time::sleep_until(when).await;
        let passed =
            if piece.is_empty() { to.shutdown().await } else { to.write_all(&piece).await };
        if passed.is_err() {
            break;
        }
    }
}
