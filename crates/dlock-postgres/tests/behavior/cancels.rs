//! An administrator cancels whatever a session does, again and again: every answer is true all the same.

use crate::eye::{Eye, connect, holder, pid, session, show};
use dlock_core::Wait;
use dlock_postgres::{AsSession, Error, Lock, Session};
use dlock_testkit::polled::polled;
use futures::future::join;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tokio_postgres::Client;

const MS: Duration = Duration::from_millis(1);
const A_WHILE: Duration = Duration::from_secs(2);

/// Cancels this backend's statements as long as the call goes on.
pub(crate) async fn cancelling<T>(victim: u32, call: impl Future<Output = T>) -> T {
    let (admin, stop) = (connect().await, Arc::new(AtomicBool::new(false)));
    let task = tokio::spawn({
        let stop = Arc::clone(&stop);
        async move {
            let cancel =
                format!("SELECT count(pg_cancel_backend({victim})) FROM generate_series(1, 50)");
            while !stop.load(Ordering::Relaxed) {
                show(&admin, &cancel).await;
            }
        }
    });
    let output = call.await;
    stop.store(true, Ordering::Relaxed);
    task.await.unwrap();
    output
}

/// How many calls were cancelled.
#[derive(Default, Debug)]
struct Count {
    granted: usize,
    acquires_cancelled: usize,
    releases_cancelled: usize,
}

async fn tries_and_releases<S: AsSession>(
    lock: &mut Lock<S>,
    eye: &Eye,
    key: &str,
    count: &mut Count,
) {
    match lock.acquire(Wait::Forever).await {
        Ok(granted) => {
            assert!(granted, "nobody else wants it");
            count.granted += 1;
            // Not each time, so that most of the time is that of the calls.
            if count.granted.is_multiple_of(50) {
                assert_eq!(eye.sees(key).await, (1, 0));
            }
        }
        Err(error) => {
            assert!(matches!(error, Error::Interrupted(_)), "{error:?}");
            assert_eq!(eye.sees(key).await, (0, 0), "{error:?}");
            // Nothing in the background has the session.
            assert!(lock.session().is_some());
            return count.acquires_cancelled += 1;
        }
    }
    while let Err(error) = lock.release().await {
        count.releases_cancelled += 1;
        assert_eq!(eye.sees(key).await, (i64::from(lock.is_locked()), 0), "{error:?}");
        assert!(matches!(error, Error::Interrupted(_)), "{error:?}");
    }
    if count.granted % 50 == 1 {
        assert_eq!(eye.sees(key).await, (0, 0));
    }
}

async fn all_true<S: AsSession>(session: S, victim: u32, key: &str) {
    let (mut lock, eye, start) =
        (Lock::new(session, key).unwrap(), Eye::open().await, Instant::now());
    let mut count = Count::default();
    cancelling(victim, async {
        while start.elapsed() < A_WHILE * 4 && count.acquires_cancelled < 20 {
            tries_and_releases(&mut lock, &eye, key, &mut count).await;
        }
    })
    .await;
    assert!(count.granted > 0 && count.acquires_cancelled > 0, "{key}: {count:?}");
    lock.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tries_and_releases_on_a_client() {
    let client = connect().await;
    let victim = pid(&client).await;
    all_true(&client, victim, "cancels-client").await;
    all_true(client, victim, "cancels-owned").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tries_and_releases_on_both_halves() {
    let session = session().await;
    let victim = pid(session.client()).await;
    all_true(session, victim, "cancels-session").await;
}

/// Waits that are cancelled at every point of their message, while the holder lets go.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn waits_around_a_release() {
    let (client, eye, mut other) =
        (connect().await, Eye::open().await, holder("cancels-wait").await);
    let (victim, start) = (pid(&client).await, Instant::now());
    let mut lock = Lock::new(&client, "cancels-wait").unwrap();
    let mut errors = 0;
    cancelling(victim, async {
        let mut round = 0_u64;
        while start.elapsed() < A_WHILE {
            round += 1;
            let release = async {
                tokio::time::sleep(MS * u32::try_from(round % 4).unwrap()).await;
                other.release().await.unwrap();
            };
            let (answer, ()) = join(lock.acquire(MS * 3), release).await;
            let held = answer.as_ref().is_ok_and(|granted| *granted);
            assert_eq!(eye.sees("cancels-wait").await, (i64::from(held), 0), "{answer:?}");
            errors += u32::from(answer.is_err());
            while lock.close().await.is_err() {}
            assert!(other.acquire(Wait::No).await.unwrap());
        }
    })
    .await;
    assert!(errors > 0);
}

/// The background's undo is cancelled: it is done all the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn guards_that_were_dropped() {
    let (client, eye) = (Arc::new(connect().await), Eye::open().await);
    let both = Arc::new(session().await);
    let client_pid = pid(&client).await;
    let both_pid = pid(Session::client(&both)).await;
    let mut dropped = cancelling(client_pid, drops(Arc::clone(&client), &eye)).await;
    dropped += cancelling(both_pid, drops(Arc::clone(&both), &eye)).await;
    assert!(dropped > 0);
    assert_eq!(show(&client, "SELECT 5").await, "5");
}

async fn drops<S: AsSession + Clone>(session: S, eye: &Eye) -> usize {
    let (start, mut dropped) = (Instant::now(), 0);
    while start.elapsed() < A_WHILE / 2 {
        let mut lock = Lock::new(session.clone(), "cancels-drops").unwrap();
        if let Ok(guard) = lock.lock().await {
            drop(guard);
            dropped += 1;
        }
        drop(lock);
        eye.until("cancels-drops", (0, 0)).await;
    }
    dropped
}

/// What a `Client` that is only borrowed cannot be told to be free, the next lock on it sees to.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_next_lock_sees_to_it() {
    let (client, eye): (Client, Eye) = (connect().await, Eye::open().await);
    let victim = pid(&client).await;
    cancelling(victim, async {
        for _ in 0..200 {
            let mut lock = Lock::new(&client, "cancels-next").unwrap();
            if let Ok(Some(guard)) = lock.try_lock().await {
                drop(guard);
            }
        }
    })
    .await;
    let mut lock = Lock::new(&client, "cancels-next").unwrap();
    assert!(lock.acquire(Wait::No).await.unwrap());
    lock.release().await.unwrap();
    assert_eq!(eye.sees("cancels-next").await, (0, 0));
}

/// A call is dropped inside a transaction, and its undo is cancelled, which fails the transaction: what was
/// granted before is held all the same, until it is let go of.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_undo_inside_a_transaction() {
    let (client, eye) = (connect().await, Eye::open().await);
    let (victim, start) = (pid(&client).await, Instant::now());
    let mut lock = Lock::new(client, "cancels-inside").unwrap();
    let mut closed = 0;
    cancelling(victim, async {
        while start.elapsed() < A_WHILE * 2 {
            let session = lock.session().expect("it is closed");
            if session.batch_execute("BEGIN").await.is_ok() {
                drop(polled(lock.lock(), 1).await);
                while lock.close().await.is_err() {}
                assert_eq!(eye.sees("cancels-inside").await, (0, 0), "closed {closed}");
                closed += 1;
            }
            let session = lock.session().expect("it is closed");
            while session.batch_execute("ROLLBACK").await.is_err() {}
        }
    })
    .await;
    assert!(closed > 0);
}
