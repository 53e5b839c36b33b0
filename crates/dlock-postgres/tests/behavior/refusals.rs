//! Servers on which a lock cannot work say so in one sentence.

use crate::eye::{Eye, config, connect, connect_to, show};
use dlock_core::Wait;
use dlock_postgres::{Error, Lock, XactLock};
use dlock_testkit::server::Postgres;
use std::time::Duration;
use tokio_postgres::Config;

const WAITS: [Wait; 3] = [Wait::No, Wait::For(Duration::from_millis(100)), Wait::Forever];

/// A lock on a standby would exclude nobody on the primary.
#[tokio::test]
async fn a_standby() {
    let server = Postgres::start(&[]).expect("a PostgreSQL server");
    let config: Config = server.url().parse().unwrap();
    let client = connect_to(&config).await;
    let data = show(&client, "SHOW data_directory").await;
    client.batch_execute("CHECKPOINT").await.unwrap();
    client.batch_execute(&format!("COPY (SELECT '') TO '{data}/standby.signal'")).await.unwrap();
    server.restart().expect("it starts as a standby");
    let mut client = connect_to(&config).await;
    for wait in WAITS {
        let mut lock = Lock::new(&client, "standby").unwrap();
        let answer = lock.acquire(wait).await;
        assert!(matches!(answer, Err(Error::Setup { .. })), "{wait:?}: {answer:?}");
        assert!(!lock.is_locked());
    }
    let transaction = client.transaction().await.unwrap();
    for wait in WAITS {
        let answer = XactLock::new(&transaction, "standby").unwrap().acquire(wait).await;
        assert!(matches!(answer, Err(Error::Setup { .. })), "{wait:?}: {answer:?}");
    }
    assert_eq!(
        show(transaction.client(), "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'")
            .await,
        "0"
    );
}

/// A role that may not call the functions is told which grant is missing.
#[tokio::test]
async fn a_missing_permission() {
    let admin = connect().await;
    admin.batch_execute("CREATE DATABASE dlock_strict").await.unwrap();
    let mut config = config();
    let admin_of_strict = connect_to(config.dbname("dlock_strict")).await;
    let revoke = "REVOKE EXECUTE ON FUNCTION pg_try_advisory_lock(int8), pg_advisory_lock(int8), \
                  pg_advisory_xact_lock(int8) FROM PUBLIC; CREATE ROLE dlock_strict LOGIN PASSWORD 'x'";
    admin_of_strict.batch_execute(revoke).await.unwrap();
    let client = connect_to(config.user("dlock_strict").password("x")).await;
    for wait in WAITS {
        let mut lock = Lock::new(&client, "strict").unwrap();
        let answer = lock.acquire(wait).await;
        assert!(
            matches!(answer, Err(Error::Setup { source: Some(_), .. })),
            "{wait:?}: {answer:?}"
        );
    }
    drop((client, admin_of_strict));
    admin.batch_execute("DROP DATABASE dlock_strict WITH (FORCE)").await.unwrap();
    admin.batch_execute("DROP ROLE dlock_strict").await.unwrap();
}

/// A full lock table is told, and what was held before is held still.
#[tokio::test]
async fn a_full_lock_table() {
    let settings = [("max_locks_per_transaction", "10"), ("max_connections", "5")];
    let server = Postgres::start(&settings).expect("a PostgreSQL server");
    let client = connect_to(&server.url().parse().unwrap()).await;
    let mut locks = Vec::new();
    let error = loop {
        assert!(locks.len() < 100_000);
        let mut lock = Lock::new(&client, i64::try_from(locks.len()).unwrap()).unwrap();
        match lock.acquire(Wait::No).await {
            Ok(granted) => assert!(granted),
            Err(error) => break error,
        }
        locks.push(lock);
    };
    assert!(matches!(error, Error::Setup { source: Some(_), .. }), "{error:?}");
    for lock in &mut locks {
        lock.release().await.unwrap();
    }
}

/// The server restarts while the lock is held: the loss is told, and a new session works.
#[tokio::test]
async fn a_restart() {
    let server = Postgres::start(&[]).expect("a PostgreSQL server");
    let config: Config = server.url().parse().unwrap();
    let mut lock = Lock::new(connect_to(&config).await, "restart").unwrap();
    assert!(lock.acquire(Wait::Forever).await.unwrap());
    server.restart().unwrap();
    assert!(matches!(lock.release().await, Err(Error::Lost(_))));
    assert!(matches!(lock.release().await, Err(Error::Closed)));
    assert!(matches!(lock.into_session().await, Err(Error::Closed)));
    let mut lock = Lock::new(connect_to(&config).await, "restart").unwrap();
    assert!(lock.acquire(Wait::Forever).await.unwrap());
    lock.release().await.unwrap();
}

/// On a client that was closed before, every call says so.
#[tokio::test]
async fn a_closed_session() {
    let client = connect().await;
    let admin = connect().await;
    let pid = crate::eye::pid(&client).await;
    show(&admin, &format!("SELECT pg_terminate_backend({pid}, 2000)")).await;
    while !client.is_closed() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let mut lock = Lock::new(&client, "closed").unwrap();
    for wait in WAITS {
        assert!(matches!(lock.acquire(wait).await, Err(Error::Closed)));
    }
    assert!(matches!(lock.release().await, Err(Error::NotLocked | Error::Closed)));
    lock.close().await.unwrap();
    assert_eq!(Eye::open().await.sees("closed").await, (0, 0));
}
