//! A time-out that races with the grant.

use crate::eye::{Eye, connect, connect_to, holder, pid, private, session};
use dlock_core::Wait;
use dlock_postgres::{AsSession, Lock, Session};
use dlock_testkit::server::Postgres;
use futures::future::{join, join_all};
use std::time::{Duration, Instant};
use tokio_postgres::{Config, NoTls};

/// The waiter's process is stopped, the holder releases, the time-out passes, the process goes on:
/// whatever the answer, it is true.
#[tokio::test]
async fn what_is_reported_is_true() {
    let (server, config) = private();
    for _ in 0..5 {
        let client = connect_to(&config).await;
        let waiter = pid(&client).await;
        race(&server, &config, client, waiter).await;
    }
}

/// The same where the connection is driven by the wait itself.
#[tokio::test]
async fn what_is_reported_over_both_halves_is_true() {
    let (server, config) = private();
    for _ in 0..5 {
        let (client, connection) = config.connect(NoTls).await.unwrap();
        let session = Session::new(client, connection);
        let waiter = pid(session.client()).await;
        race(&server, &config, session, waiter).await;
    }
}

async fn race<S: AsSession>(server: &Postgres, config: &Config, session: S, waiter: u32) {
    let eye = Eye::at(config).await;
    let mut holder = Lock::new(connect_to(config).await, "race").unwrap();
    let mut lock = Lock::new(session, "race").unwrap();
    assert!(lock.acquire(Wait::Forever).await.unwrap());
    lock.release().await.unwrap();
    assert!(holder.acquire(Wait::No).await.unwrap());
    let race = async {
        eye.until("race", (1, 1)).await;
        server.pause_backend(waiter).unwrap();
        holder.release().await.unwrap();
        tokio::time::sleep(Duration::from_millis(300)).await;
        server.continue_backend(waiter).unwrap();
    };
    let (granted, ()) = join(lock.acquire(Duration::from_millis(150)), race).await;
    let granted = granted.unwrap();
    assert_eq!(eye.sees("race").await, (i64::from(granted), 0), "reported {granted}");
    lock.close().await.unwrap();
    assert_eq!(eye.sees("race").await, (0, 0));
}

/// A thousand waits whose time is over while the holder lets go: each answer is true.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_time_outs_around_a_release() {
    let counts = join_all((0..4).map(async |number| {
        let key = format!("race-{number}");
        if number % 2 == 0 {
            time_outs(connect().await, &key).await
        } else {
            time_outs(session().await, &key).await
        }
    }));
    let granted: u32 = counts.await.into_iter().sum();
    assert!((50..950).contains(&granted), "{granted} of 1,000 were granted: that is no race");
}

/// How many of 250 were granted.
async fn time_outs<S: AsSession>(session: S, key: &str) -> u32 {
    let (eye, mut other) = (Eye::open().await, holder(key).await);
    let mut lock = Lock::new(session, key).unwrap();
    let (limit, mut granted) = (Duration::from_millis(6), 0);
    for round in 0..250_u32 {
        // From 1.5 ms before the deadline to as long after it.
        let at = Duration::from_micros(4_500 + u64::from(round * 12));
        let start = Instant::now();
        let release = async {
            while start.elapsed() < at {
                tokio::task::yield_now().await;
            }
            other.release().await.unwrap();
        };
        let (answer, ()) = join(lock.acquire(limit), release).await;
        let answer = answer.unwrap();
        assert_eq!(eye.sees(key).await, (i64::from(answer), 0), "round {round}: {answer}");
        granted += u32::from(answer);
        lock.close().await.unwrap();
        assert!(other.acquire(Wait::No).await.unwrap(), "round {round}: not held by anybody");
    }
    granted
}

/// The fact behind it: the session's function alone may report a time-out and hold the lock.
#[tokio::test]
async fn the_plain_function_lies() {
    let (server, config) = private();
    let eye = Eye::at(&config).await;
    let mut holder = Lock::new(connect_to(&config).await, 4711).unwrap();
    assert!(holder.acquire(Wait::No).await.unwrap());
    let client = connect_to(&config).await;
    let waiter = pid(&client).await;
    client.batch_execute("SET lock_timeout = 150").await.unwrap();
    let race = async {
        eye.until(4711, (1, 1)).await;
        server.pause_backend(waiter).unwrap();
        holder.release().await.unwrap();
        tokio::time::sleep(Duration::from_millis(300)).await;
        server.continue_backend(waiter).unwrap();
    };
    let (answer, ()) = join(client.batch_execute("SELECT pg_advisory_lock(4711)"), race).await;
    answer.expect_err("a time-out is reported");
    assert_eq!(eye.sees(4711).await, (1, 0), "and the lock is held");
}
