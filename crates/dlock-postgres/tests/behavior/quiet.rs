//! What a wait leaves others alone with: the server's log and statistics, old row versions, snapshots.

use crate::eye::{Eye, connect_to, holder_at, pid, session_at, show};
use dlock_core::Wait;
use dlock_postgres::{Lock, XactLock};
use dlock_testkit::server::Postgres;
use std::time::{Duration, Instant};
use tokio_postgres::Config;

const MS: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);

fn server() -> (Postgres, Config) {
    let settings = [("shared_preload_libraries", "pg_stat_statements")];
    let server = Postgres::start(&settings).expect("a PostgreSQL server");
    let config = server.url().parse().expect("a PostgreSQL URL");
    (server, config)
}

/// A waiter of some seconds: no line in the log, no snapshot that is older than a slice; with a key held
/// beside, older than a full one.
#[tokio::test]
async fn a_waiter_of_some_seconds() {
    let (server, config) = server();
    let admin = connect_to(&config).await;
    let mut other = holder_at(&config, "quiet").await;
    let waiting = connect_to(&config).await;
    let number = pid(&waiting).await;
    for (beside, oldest) in [(false, SECOND), (true, MS * 1_200)] {
        let before = server.log().unwrap();
        let mut another = Lock::new(&waiting, "quiet-beside").unwrap();
        assert!(!beside || another.acquire(Wait::No).await.unwrap());
        let mut lock = Lock::new(&waiting, "quiet").unwrap();
        let watches = async {
            let start = Instant::now();
            while start.elapsed() < SECOND * 4 {
                let age = format!(
                    "SELECT coalesce(max(extract(epoch FROM clock_timestamp() - xact_start)), 0) \
                     FROM pg_stat_activity WHERE pid = {number} AND backend_xmin IS NOT NULL"
                );
                let age: f64 = show(&admin, &age).await.parse().unwrap();
                let age = Duration::from_secs_f64(age.max(0.0));
                assert!(age < oldest + MS * 50, "beside: {beside}: {age:?}");
                tokio::time::sleep(MS * 20).await;
            }
        };
        tokio::select! {
            answer = lock.lock() => panic!("{answer:?}"),
            () = watches => {}
        }
        lock.close().await.unwrap();
        another.close().await.unwrap();
        assert_eq!(server.log().unwrap(), before, "beside: {beside}");
    }
    other.release().await.unwrap();
}

/// Rows that are deleted while somebody waits are gone after the next VACUUM but one.
#[tokio::test]
async fn old_rows_can_be_removed() {
    let (_server, config) = server();
    let (admin, eye) = (connect_to(&config).await, Eye::at(&config).await);
    admin.batch_execute("CREATE TABLE old AS SELECT generate_series(1, 2000)").await.unwrap();
    let mut other = holder_at(&config, "vacuum").await;
    let mut lock = Lock::new(connect_to(&config).await, "vacuum").unwrap();
    let removes = async {
        eye.until("vacuum", (1, 1)).await;
        admin.batch_execute("DELETE FROM old").await.unwrap();
        tokio::time::sleep(MS * 1_000).await;
        admin.batch_execute("VACUUM old").await.unwrap();
        assert_eq!(show(&admin, "SELECT pg_relation_size('old')").await, "0");
        other.release().await.unwrap();
    };
    let (answer, ()) = futures::future::join(lock.acquire(Wait::Forever), removes).await;
    assert!(answer.unwrap());
}

/// Two hundred keys, in every kind of call, make a handful of entries.
#[tokio::test]
async fn statistics_have_room_for_others() {
    let (_server, config) = server();
    let admin = connect_to(&config).await;
    let create = "CREATE EXTENSION pg_stat_statements; SELECT pg_stat_statements_reset()";
    admin.batch_execute(create).await.unwrap();
    let (client, other) = (connect_to(&config).await, connect_to(&config).await);
    let mut transacting = connect_to(&config).await;
    let both = std::sync::Arc::new(session_at(&config).await);
    for key in 0..200 {
        let mut held = Lock::new(&other, key).unwrap();
        assert!(held.acquire(Wait::Forever).await.unwrap());
        assert!(!Lock::new(&client, key).unwrap().acquire(MS).await.unwrap());
        assert!(!Lock::new(both.clone(), key).unwrap().acquire(MS).await.unwrap());
        let transaction = transacting.transaction().await.unwrap();
        assert!(!XactLock::new(&transaction, key).unwrap().acquire(MS).await.unwrap());
        held.release().await.unwrap();
        assert!(XactLock::new(&transaction, key).unwrap().acquire(MS * 9).await.unwrap());
        transaction.commit().await.unwrap();
        drop(Lock::new(&client, key).unwrap().lock().await.unwrap());
        let mut lock = Lock::new(both.clone(), key).unwrap();
        assert!(lock.acquire(Wait::Forever).await.unwrap());
        lock.release().await.unwrap();
    }
    let count = "SELECT count(*) FROM pg_stat_statements \
                 WHERE query ~ 'advisory|dlock|deadlock_timeout|lock_status'";
    let count: u32 = show(&admin, count).await.parse().unwrap();
    assert!((1..20).contains(&count), "{count}");
}
