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

/// Where this role may not see `pg_locks`, nor what is behind it: a lock outside a transaction keeps all
/// promises; inside one begun by hand, and for a transaction's own, it is refused with the right advice.
#[tokio::test]
async fn locks_that_cannot_be_seen() {
    let admin = connect().await;
    admin.batch_execute("CREATE DATABASE dlock_blind").await.unwrap();
    let mut config = config();
    let admin_there = connect_to(config.dbname("dlock_blind")).await;
    let eye = Eye::at(&config).await;
    let revoke = "REVOKE ALL ON pg_catalog.pg_locks FROM PUBLIC; \
                  REVOKE EXECUTE ON FUNCTION pg_catalog.pg_lock_status() FROM PUBLIC; \
                  CREATE ROLE dlock_blind LOGIN PASSWORD 'x'";
    admin_there.batch_execute(revoke).await.unwrap();
    let mut blind = config.clone();
    blind.user("dlock_blind").password("x");
    let mut client = connect_to(&blind).await;
    for shared in [false, true] {
        let lock = Lock::new(&client, "blind").unwrap();
        let mut lock = if shared { lock.shared() } else { lock };
        for wait in WAITS {
            assert!(lock.acquire(wait).await.unwrap());
            lock.release().await.unwrap();
        }
        for polls in 1..3 {
            drop(dlock_testkit::polled::polled(lock.acquire(Wait::No), polls).await);
            lock.close().await.unwrap();
            assert_eq!(eye.sees("blind").await, (0, 0), "{polls}");
        }
        let mut holder = Lock::new(&admin_there, "blind").unwrap();
        assert!(holder.acquire(Wait::No).await.unwrap());
        assert!(!lock.acquire(Duration::from_millis(60)).await.unwrap());
        assert!(tokio::time::timeout(Duration::from_millis(60), lock.lock()).await.is_err());
        eye.until("blind", (1, 0)).await;
        lock.close().await.unwrap();
        holder.release().await.unwrap();
        drop(lock.lock().await.unwrap());
        drop(lock);
        eye.until("blind", (0, 0)).await;
    }
    client.batch_execute("BEGIN").await.unwrap();
    let refused = Lock::new(&client, "blind").unwrap().acquire(Wait::No).await;
    assert!(matches!(refused, Err(Error::Setup { source: Some(_), .. })), "{refused:?}");
    client.batch_execute("ROLLBACK").await.unwrap();
    let transaction = client.transaction().await.unwrap();
    let refused = XactLock::new(&transaction, "blind").unwrap().acquire(Wait::No).await;
    assert!(matches!(refused, Err(Error::Setup { source: Some(_), .. })), "{refused:?}");
    assert_eq!(show(transaction.client(), "SELECT 5").await, "5");
    transaction.commit().await.unwrap();
    assert_eq!(eye.sees("blind").await, (0, 0));
    drop((client, admin_there, eye));
    admin.batch_execute("DROP DATABASE dlock_blind WITH (FORCE); ").await.unwrap();
    admin.batch_execute("DROP ROLE dlock_blind").await.unwrap();
}

/// `plpgsql` was dropped: waits go without it, in each kind of lock, and still tell the truth.
#[tokio::test]
async fn plpgsql_was_dropped() {
    let admin = connect().await;
    admin.batch_execute("CREATE DATABASE dlock_dropped").await.unwrap();
    let mut config = config();
    let client = connect_to(config.dbname("dlock_dropped")).await;
    client.batch_execute("DROP EXTENSION plpgsql CASCADE").await.unwrap();
    let (mut transacting, eye) = (connect_to(&config).await, Eye::at(&config).await);
    let other = connect_to(&config).await;
    let mut holder = Lock::new(&other, "dropped").unwrap();
    assert!(holder.acquire(Wait::No).await.unwrap());
    let mut lock = Lock::new(&client, "dropped").unwrap();
    let start = std::time::Instant::now();
    assert!(!lock.acquire(Duration::from_millis(150)).await.unwrap());
    assert!(start.elapsed() >= Duration::from_millis(150));
    assert!(tokio::time::timeout(Duration::from_millis(60), lock.lock()).await.is_err());
    lock.close().await.unwrap();
    let transaction = transacting.transaction().await.unwrap();
    let mut xact = XactLock::new(&transaction, "dropped").unwrap();
    assert!(!xact.acquire(Duration::from_millis(60)).await.unwrap());
    for waits in [true, false] {
        let release = async {
            eye.until("dropped", (1, 1)).await;
            holder.release().await.unwrap();
        };
        if waits {
            let (granted, ()) = futures::future::join(lock.acquire(Wait::Forever), release).await;
            assert!(granted.unwrap());
            lock.release().await.unwrap();
            assert!(holder.acquire(Wait::No).await.unwrap());
        } else {
            let (granted, ()) = futures::future::join(xact.acquire(Wait::Forever), release).await;
            assert!(granted.unwrap());
        }
    }
    assert_eq!(show(transaction.client(), "SELECT 5").await, "5");
    drop(xact);
    transaction.commit().await.unwrap();
    assert_eq!(eye.sees("dropped").await, (0, 0));
    drop((lock, holder));
    drop((client, transacting, other, eye));
    admin.batch_execute("DROP DATABASE dlock_dropped WITH (FORCE)").await.unwrap();
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
