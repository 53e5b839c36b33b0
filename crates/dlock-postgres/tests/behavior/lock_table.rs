//! A lock table that is full.

use crate::eye::{Eye, connect_to, show};
use dlock_core::Wait;
use dlock_postgres::{Error, Lock, XactLock};
use dlock_testkit::server::Postgres;
use std::time::Duration;
use tokio_postgres::Config;

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

/// The same for waits: an error or an answer, and what was not granted is not held.
#[tokio::test]
async fn a_wait_beside_a_full_lock_table() {
    let settings = [("max_locks_per_transaction", "10"), ("max_connections", "10")];
    let server = Postgres::start(&settings).expect("a PostgreSQL server");
    let config: Config = server.url().parse().unwrap();
    let (client, mut transacting) = (connect_to(&config).await, connect_to(&config).await);
    let (eye, other) = (Eye::at(&config).await, connect_to(&config).await);
    let mut holder = Lock::new(connect_to(&config).await, "full").unwrap();
    assert!(holder.acquire(Wait::No).await.unwrap());
    let fill = async |from: i64, count: i64| {
        let until = from + count - 1;
        let take = format!("SELECT pg_advisory_lock(1, g) FROM generate_series({from}, {until}) g");
        other.batch_execute(&take).await.is_ok()
    };
    let free = async |from: i64, count: i64| {
        let until = from + count - 1;
        let give =
            format!("SELECT pg_advisory_unlock(1, g) FROM generate_series({from}, {until}) g");
        other.batch_execute(&give).await.unwrap();
    };
    let (mut number, mut errors) = (100, 0);
    assert!(fill(0, 100).await);
    free(0, 1).await;
    for room in 0..10 {
        // Full to the last but so many, and room again before anybody looks.
        while fill(number, 1).await {
            number += 1;
        }
        free(number - room, room).await;
        let mut locks = ["full", "full-free"].map(|key| Lock::new(&client, key).unwrap());
        let transaction = transacting.transaction().await.unwrap();
        let mut told = Vec::new();
        for lock in &mut locks {
            told.push(lock.acquire(Duration::from_millis(3)).await);
        }
        for key in ["full", "full-3"] {
            let mut lock = XactLock::new(&transaction, key).unwrap();
            told.push(lock.acquire(Duration::from_millis(3)).await);
        }
        free(number - room - 60, 60).await;
        number -= room + 60;
        for (answer, key) in told.iter().zip(["full", "full-free", "full", "full-3"]) {
            let only = matches!(answer, Ok(_) | Err(Error::Setup { source: Some(_), .. }));
            assert!(only, "{room}, {key}: {answer:?}");
            errors += u32::from(answer.is_err());
            let granted = i64::from(answer.as_ref().is_ok_and(|granted| *granted));
            let holders = if key == "full" { 1 } else { granted };
            assert_eq!(eye.sees(key).await, (holders, 0), "{room}, {key}: {answer:?}");
        }
        assert_eq!(show(transaction.client(), "SELECT 5").await, "5");
        transaction.rollback().await.unwrap();
        for lock in &mut locks {
            lock.close().await.unwrap();
        }
        assert_eq!(eye.sees("full-free").await, (0, 0));
        assert_eq!(eye.sees("full").await, (1, 0));
    }
    assert!(errors > 0, "the table was never full");
}
