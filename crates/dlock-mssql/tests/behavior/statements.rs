//! A statement of the caller's that still runs when the lock is let go.

use super::{bounded, client, fresh, lock, until};
use crate::server::{Tcp, integer, run};
use dlock_core::{Error, Wait};
use dlock_mssql::{Lock, OwnedGuard};
use dlock_testkit::polled::polled;
use std::time::{Duration, Instant};

/// Begins a statement, and drops it while it runs.
async fn begin(client: &mut Tcp, sql: &str) {
    let dropped = tokio::time::timeout(Duration::from_millis(50), client.simple_query(sql)).await;
    assert!(dropped.is_err(), "{sql} takes longer");
}

#[tokio::test]
async fn a_dropped_guard_is_in_doubt_until_the_statement_is_over() {
    bounded(async {
        let (key, mut observer) = (fresh("statement"), client().await);
        let mut one = lock(&key).await;
        let mut guard = one.lock().await.unwrap();
        let start = Instant::now();
        begin(guard.session(), "WAITFOR DELAY '00:00:07'").await;
        drop(guard);
        let answer = one.close().await;
        assert!(matches!(answer, Err(Error::Interrupted(_))), "{answer:?}");
        assert!(start.elapsed() < Duration::from_secs(6), "{:?}", start.elapsed());
        until(&mut observer, &key, (1, 0)).await;
        one.close().await.unwrap();
        assert!(start.elapsed() >= Duration::from_secs(7), "only its end frees the key");
        until(&mut observer, &key, (0, 0)).await;
        assert_eq!(integer(one.session().unwrap(), "SELECT 77").await, 77);
    })
    .await;
}

/// Only the end of the statement would tell, and there is nobody left to hear of it.
#[test]
fn with_its_runtime_gone_nobody_can_say_that_the_key_is_free() {
    let runtime = || tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let (first, second, key) = (runtime(), runtime(), fresh("statement-runtime"));
    let mut one = first.block_on(async {
        let mut one = lock(&key).await;
        let mut guard = one.lock().await.unwrap();
        begin(guard.session(), "WAITFOR DELAY '00:00:02'").await;
        drop(guard);
        one
    });
    first.shutdown_timeout(Duration::from_secs(1));
    second.block_on(bounded(async {
        let mut observer = client().await;
        for _ in 0..2 {
            assert!(matches!(one.close().await, Err(Error::Interrupted(_))));
        }
        assert!(matches!(one.acquire(Wait::No).await, Err(Error::Interrupted(_))));
        assert!(one.session().is_none() && !one.is_locked());
        until(&mut observer, &key, (0, 0)).await;
    }));
}

/// The statement goes on, and the wait that was behind it was never sent.
#[tokio::test]
async fn a_wait_that_is_dropped_behind_a_statement_leaves_it_alone() {
    bounded(async {
        let (key, mut observer) = (fresh("statement-wait"), client().await);
        let table = format!("T{}", key.replace('-', "_"));
        run(&mut observer, &format!("CREATE TABLE {table} (n int)")).await;
        let mut one = lock(&key).await;
        let insert = format!("WAITFOR DELAY '00:00:00.5'; INSERT INTO {table} VALUES (1)");
        begin(one.session().unwrap(), &insert).await;
        assert!(polled(one.acquire(Wait::Forever), 2).await.is_none());
        one.close().await.unwrap();
        assert_eq!(integer(one.session().unwrap(), "SELECT 77").await, 77);
        let count = format!("SELECT COUNT(*) FROM {table}");
        assert_eq!(integer(&mut observer, &count).await, 1);
        run(&mut observer, &format!("DROP TABLE {table}")).await;
        until(&mut observer, &key, (0, 0)).await;
    })
    .await;
}

/// It is sent as soon as nothing else is in front, also where that is one large answer.
#[tokio::test]
async fn a_guard_dropped_behind_an_answer_that_was_not_read_releases() {
    bounded(async {
        let (key, mut observer) = (fresh("statement-unread"), client().await);
        let mut guard: OwnedGuard<Tcp> = lock(&key).await.lock_owned().await.unwrap();
        let large = "SELECT REPLICATE(N'x', 4000) FROM sys.databases; SELECT 1; SELECT 2";
        drop(guard.session().simple_query(large).await.unwrap());
        drop(guard);
        until(&mut observer, &key, (0, 0)).await;
    })
    .await;
}

/// The release of a lent client cannot wait for the statement: whoever uses the client next is told.
#[tokio::test]
async fn a_lent_client_whose_release_was_not_sent_is_refused() {
    bounded(async {
        let (key, mut observer) = (fresh("statement-lent"), client().await);
        let mut owner = client().await;
        let mut one = Lock::new(&mut owner, key.as_str()).unwrap();
        let mut guard = one.lock().await.unwrap();
        begin(guard.session(), "WAITFOR DELAY '00:00:01'").await;
        drop(guard);
        drop(one);
        let error = owner.simple_query("SELECT 77").await.map(drop).unwrap_err();
        assert!(error.to_string().contains("can no longer be used"), "{error}");
        until(&mut observer, &key, (1, 0)).await;
        drop(owner);
        until(&mut observer, &key, (0, 0)).await;
    })
    .await;
}
