//! Waits that are called off, by the caller's drop or by an administrator.

use crate::eye::{Eye, address, config, connect, pid, show};
use dlock_core::Wait;
use dlock_postgres::{Canceller, Error, Lock};
use futures::future::{join, join_all};
use std::time::{Duration, Instant};
use tokio::net::TcpStream;
use tokio_postgres::NoTls;

/// A statement sent right behind a dropped wait gets its own answer, every time: also when the wait is
/// dropped about when it is called off at once.
#[tokio::test]
async fn the_next_statement_is_never_hit() {
    let eye = Eye::open().await;
    let mut holder = Lock::new(connect().await, "hit").unwrap();
    assert!(holder.acquire(Wait::No).await.unwrap());
    join_all([0, 98_000, 100_500, 0].map(drop_and_ask)).await;
    assert_eq!(eye.sees("hit").await, (1, 0));
}

/// Drops 75 waits, each up to 3 ms later than `least` microseconds.
async fn drop_and_ask(least: u64) {
    let (client, canceller) = (connect().await, Canceller::new(config(), NoTls));
    for round in 0..75 {
        let lock = Lock::new(&client, "hit").unwrap();
        let mut lock = if round % 2 == 0 { lock } else { lock.canceller(&canceller) };
        let limit = Duration::from_micros(least + round * 41 % 3000);
        assert!(tokio::time::timeout(limit, lock.lock()).await.is_err());
        let answer = show(&client, "SELECT 77, pg_sleep(0.005)").await;
        assert_eq!(answer, "77", "round {round}, {limit:?}");
    }
}

/// The connection is free again soon.
#[tokio::test]
async fn a_dropped_wait_is_forgotten_at_once() {
    let (client, eye) = (connect().await, Eye::open().await);
    let mut holder = Lock::new(connect().await, "forgotten").unwrap();
    assert!(holder.acquire(Wait::No).await.unwrap());
    let mut lock = Lock::new(&client, "forgotten").unwrap();
    let drop_it =
        async { tokio::time::timeout(Duration::from_millis(200), lock.lock()).await.is_err() };
    assert!(join(drop_it, eye.until("forgotten", (1, 1))).await.0);
    let start = Instant::now();
    eye.until("forgotten", (1, 0)).await;
    lock.close().await.unwrap();
    assert!(start.elapsed() < Duration::from_millis(500), "{:?}", start.elapsed());
}

/// A session whose address the driver does not know cannot be cancelled: the wait goes on in the
/// server, nothing leaks, and the connection is usable once it has ended.
#[tokio::test]
async fn without_a_way_to_cancel() {
    let stream = TcpStream::connect(address()).await.unwrap();
    let (client, connection) = config().connect_raw(stream, NoTls).await.unwrap();
    tokio::spawn(connection);
    let eye = Eye::open().await;
    let mut holder = Lock::new(connect().await, "no-cancel").unwrap();
    assert!(holder.acquire(Wait::No).await.unwrap());
    let mut lock = Lock::new(&client, "no-cancel").unwrap();
    let drop_it =
        async { tokio::time::timeout(Duration::from_millis(100), lock.lock()).await.is_err() };
    assert!(join(drop_it, eye.until("no-cancel", (1, 1))).await.0);
    holder.release().await.unwrap();
    eye.until("no-cancel", (0, 0)).await;
    assert!(holder.acquire(Wait::No).await.unwrap());
    lock.close().await.unwrap();
    assert_eq!(show(&client, "SELECT 79").await, "79");
}

/// An administrator's cancel is told, and nothing is held.
#[tokio::test]
async fn cancelled_by_an_administrator() {
    let (client, eye, admin) = (connect().await, Eye::open().await, connect().await);
    let waiter = pid(&client).await;
    let mut holder = Lock::new(connect().await, "admin").unwrap();
    assert!(holder.acquire(Wait::No).await.unwrap());
    let mut lock = Lock::new(&client, "admin").unwrap();
    let cancel = async {
        eye.until("admin", (1, 1)).await;
        show(&admin, &format!("SELECT pg_cancel_backend({waiter})")).await;
    };
    let (answer, ()) = join(lock.acquire(Wait::Forever), cancel).await;
    assert!(matches!(answer, Err(Error::Interrupted(Some(_)))), "{answer:?}");
    assert!(!lock.is_locked());
    holder.release().await.unwrap();
    assert!(lock.acquire(Wait::No).await.unwrap());
    lock.release().await.unwrap();
}
