//! Round trips, counted on the wire.

use crate::eye::{address, connect, connect_to, towards};
use dlock_core::Wait;
use dlock_postgres::{Lock, XactLock};
use dlock_testkit::proxy::Proxy;
use std::time::Duration;
use tokio_postgres::Client;

const WAITS: [Wait; 3] = [Wait::No, Wait::For(Duration::from_secs(1)), Wait::Forever];

/// A proxy in front of the server, and a client that goes through it.
pub(crate) async fn proxied() -> (Proxy, Client) {
    let proxy = Proxy::start(address()).unwrap();
    let client = connect_to(&towards(proxy.addr())).await;
    (proxy, client)
}

/// One to acquire and one to release, in every kind of wait and mode; on a client that never spoke.
#[tokio::test]
async fn session_lock() {
    for wait in WAITS {
        for shared in [false, true] {
            let (proxy, client) = proxied().await;
            let lock = Lock::new(&client, "wire").unwrap();
            let mut lock = if shared { lock.shared() } else { lock };
            proxy.reset();
            assert!(lock.acquire(wait).await.unwrap());
            assert_eq!(proxy.round_trips(), 1, "acquire, {wait:?}, shared: {shared}");
            lock.release().await.unwrap();
            assert_eq!(proxy.round_trips(), 2, "release, {wait:?}, shared: {shared}");
            drop(lock.try_lock().await.unwrap());
            lock.close().await.unwrap();
            assert_eq!(proxy.round_trips(), 4, "try and drop");
        }
    }
}

/// One to be refused at once, one more for each slice of a wait that runs out.
#[tokio::test]
async fn refused() {
    let mut holder = Lock::new(connect().await, "wire-refused").unwrap();
    assert!(holder.acquire(Wait::No).await.unwrap());
    for (wait, trips) in [(Wait::No, 1), (Wait::For(Duration::from_millis(40)), 2)] {
        let (proxy, client) = proxied().await;
        let mut lock = Lock::new(&client, "wire-refused").unwrap();
        proxy.reset();
        assert!(!lock.acquire(wait).await.unwrap());
        assert_eq!(proxy.round_trips(), trips, "{wait:?}");
    }
}

/// One is waited for. What closes the savepoint is queued behind the answer: the caller's next
/// statement does not wait for it, but shares its way.
#[tokio::test]
async fn transaction_lock() {
    for wait in WAITS {
        let (proxy, mut client) = proxied().await;
        let transaction = client.transaction().await.unwrap();
        transaction.batch_execute("SELECT").await.unwrap();
        proxy.reset();
        assert!(XactLock::new(&transaction, "wire-xact").unwrap().acquire(wait).await.unwrap());
        transaction.batch_execute("SELECT").await.unwrap();
        assert!(proxy.round_trips() <= 3, "{wait:?}: {}", proxy.round_trips());
    }
}
