//! Through pgbouncer: what a pooler of transactions makes of each lock, and one of sessions.

use crate::eye::{Eye, connect_to, holder_at, pid, private, show};
use dlock_core::Wait;
use dlock_postgres::{Error, Lock, XactLock};
use dlock_testkit::cases::fresh_key;
use dlock_testkit::server::{PgBouncer, Postgres};
use futures::future::join_all;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tokio_postgres::{Client, Config};

/// A server, and the way to it through a pooler.
fn pooled() -> (Postgres, PgBouncer, Config) {
    pooled_in("transaction")
}

fn pooled_in(mode: &str) -> (Postgres, PgBouncer, Config) {
    let (server, _) = private();
    let pooler = PgBouncer::start_in(mode, &server).expect("a pgbouncer");
    let config = pooler.url().parse().expect("a URL");
    (server, pooler, config)
}

async fn eye(server: &Postgres) -> Eye {
    Eye::at(&server.url().parse().expect("a URL")).await
}

/// Twenty clients share four backends, and exclude each other by locks of their transactions.
#[tokio::test]
async fn locks_of_transactions_exclude_each_other() {
    let (server, _pooler, config) = pooled();
    let inside = AtomicU32::new(0);
    let inside = &inside;
    join_all((0..20).map(async |_| {
        let mut client = connect_to(&config).await;
        for wait in [Wait::Forever, Wait::For(Duration::from_secs(20)), Wait::Forever] {
            let transaction = client.transaction().await.unwrap();
            let mut lock = XactLock::new(&transaction, "pooled").unwrap();
            assert!(lock.acquire(wait).await.unwrap());
            assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0);
            pid(transaction.client()).await;
            inside.fetch_sub(1, Ordering::SeqCst);
            transaction.commit().await.unwrap();
        }
    }))
    .await;
    eye(&server).await.until("pooled", (0, 0)).await;
}

/// A lock of the session is that of a backend which everybody shares: two clients hold it at once, the
/// release of one meets another backend and is told that the lock is lost, and the key stays held on
/// the first when both clients are gone, until the pooler closes that backend.
#[tokio::test]
async fn a_lock_of_the_session_is_stranded_on_a_backend() {
    let (server, pooler, config) = pooled();
    let (key, eye) = (fresh_key("stranded"), eye(&server).await);
    let mut lock = locked(&config, &key).await;
    let mut other = locked(&config, &key).await;
    assert!(lock.is_locked() && other.is_locked(), "two hold it");
    assert_eq!(eye.sees(key.as_str()).await, (1, 0), "by one backend");
    let backend = pid(other.session().unwrap()).await;

    let mut busy = connect_to(&config).await;
    let transaction = busy.transaction().await.unwrap();
    assert_eq!(pid(transaction.client()).await, backend, "which is busy now");
    assert!(matches!(lock.release().await, Err(Error::Lost(None))));
    transaction.commit().await.unwrap();

    drop((lock, other, busy));
    // Whatever a drop sends has long arrived by then.
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(eye.sees(key.as_str()).await, (1, 0), "it outlives the clients");
    drop(pooler);
    eye.until(key.as_str(), (0, 0)).await;
}

/// Waits that are dropped at any time, over many clients that share four backends, in both modes of
/// pooling: the pooler stays well, every statement gets its own answer, and no waiter is left. The holder
/// does not let go, so that nothing can be granted, and stranded, meanwhile.
#[tokio::test]
async fn waits_that_are_dropped() {
    for mode in ["transaction", "session"] {
        let (server, pooler, config) = pooled_in(mode);
        let (key, eye) = (fresh_key("pooled-drops"), eye(&server).await);
        let mut holder = holder_at(&server.url().parse().unwrap(), key.as_str()).await;
        // In session mode a client has one of the four backends to itself.
        join_all((0..4).map(async |number| drops_through(&config, &key, number).await)).await;
        eye.until(key.as_str(), (1, 0)).await;
        let client = connect_to(&config).await;
        assert_eq!(show(&client, "SELECT 7").await, "7", "{mode}: {}", pooler.log());
        holder.release().await.unwrap();
        eye.until(key.as_str(), (0, 0)).await;
    }
}

async fn drops_through(config: &Config, key: &str, number: u64) {
    let mut client = connect_to(config).await;
    for round in 0..6 {
        let limit = Duration::from_millis((round * 37 + number * 11) % 90);
        let mut lock = Lock::new(&client, key).unwrap();
        assert!(tokio::time::timeout(limit, lock.lock()).await.is_err());
        let answer = format!("{number}-{round}");
        assert_eq!(show(&client, &format!("SELECT '{answer}'")).await, answer);
        drop(lock);
        let transaction = client.transaction().await.unwrap();
        let mut lock = XactLock::new(&transaction, key).unwrap();
        assert!(tokio::time::timeout(limit, lock.lock()).await.is_err());
        drop(lock);
        assert_eq!(show(transaction.client(), &format!("SELECT '{answer}'")).await, answer);
        transaction.commit().await.unwrap();
    }
}

/// In session mode a lock of the session is what it is without a pooler, drops and all.
#[tokio::test]
async fn a_lock_of_the_session_where_sessions_are_pooled() {
    let (server, _pooler, config) = pooled_in("session");
    let (key, eye) = (fresh_key("pooled-session"), eye(&server).await);
    let (mut one, mut two) =
        (locked(&config, &key).await, Lock::new(connect_to(&config).await, key.as_str()).unwrap());
    assert!(!two.acquire(Duration::from_millis(80)).await.unwrap());
    assert!(tokio::time::timeout(Duration::from_millis(80), two.lock()).await.is_err());
    eye.until(key.as_str(), (1, 0)).await;
    one.release().await.unwrap();
    let guard = two.lock().await.unwrap();
    drop(guard);
    eye.until(key.as_str(), (0, 0)).await;
}

/// A lock over a client of its own, held.
async fn locked(config: &Config, key: &str) -> Lock<Client> {
    let mut lock = Lock::new(connect_to(config).await, key).unwrap();
    assert!(lock.acquire(Wait::No).await.unwrap());
    lock
}
