//! Slices that the caller has set, from next to nothing to more than anybody can wait for.

use crate::eye::{Eye, connect, holder, session, show};
use dlock_core::Wait;
use dlock_postgres::{AsSession, Lock};
use futures::future::join;
use std::sync::Arc;
use std::time::{Duration, Instant};

const MS: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);
const SLICES: [Duration; 5] =
    [Duration::ZERO, MS, Duration::from_secs(60), Duration::from_secs(u64::MAX / 2), Duration::MAX];

async fn of_any_length<S: AsSession + Clone>(session: S, key: &str) {
    let (eye, mut other) = (Eye::open().await, holder(key).await);
    for slice in SLICES {
        let mut lock = Lock::new(session.clone(), key).unwrap().slice(slice);
        let start = Instant::now();
        assert!(!lock.acquire(MS * 50).await.unwrap());
        assert!(start.elapsed() >= MS * 50 && start.elapsed() < SECOND, "{slice:?}");
        for wait in [Wait::Forever, Wait::For(SECOND * 3_000)] {
            let release = async {
                eye.until(key, (1, 1)).await;
                other.release().await.unwrap();
            };
            let (granted, ()) = join(lock.acquire(wait), release).await;
            assert!(granted.unwrap());
            lock.release().await.unwrap();
            assert!(other.acquire(Wait::No).await.unwrap());
        }
        other.release().await.unwrap();
        drop(lock.lock().await.unwrap());
        lock.close().await.unwrap();
        assert!(other.acquire(Wait::No).await.unwrap());
    }
}

#[tokio::test]
async fn slices_of_any_length() {
    of_any_length(Arc::new(connect().await), "slices-client").await;
    of_any_length(Arc::new(session().await), "slices-both").await;
}

/// A wait in one long slice that is dropped goes on as long, and leaves by itself.
#[tokio::test]
async fn a_long_slice_leaves_at_its_end() {
    let (client, eye, _other) = (connect().await, Eye::open().await, holder("slices-long").await);
    let mut lock = Lock::new(&client, "slices-long").unwrap().slice(SECOND * 3 / 2);
    let dropped = Instant::now();
    assert!(tokio::time::timeout(MS * 100, lock.lock()).await.is_err());
    assert_eq!(show(&client, "SELECT 5").await, "5");
    assert!(
        dropped.elapsed() > SECOND && dropped.elapsed() < SECOND * 2,
        "{:?}",
        dropped.elapsed()
    );
    eye.until("slices-long", (1, 0)).await;
}

/// Sixty waits on one session take turns: each is told at its own deadline, and one whose key is let go
/// of is granted in between.
#[tokio::test]
async fn turns_of_many_waits_on_one_session() {
    let (session, others) = (Arc::new(session().await), connect().await);
    let mut held = Vec::new();
    for key in 7_000..7_060 {
        let mut lock = Lock::new(&others, key).unwrap();
        assert!(lock.acquire(Wait::No).await.unwrap());
        held.push(lock);
    }
    let waits = futures::future::join_all((7_000..7_060).map(async |key| {
        let mut lock = Lock::new(Arc::clone(&session), key).unwrap();
        let (limit, start) = (SECOND * 3, Instant::now());
        let granted = lock.acquire(limit).await.unwrap();
        if !granted {
            assert!(start.elapsed() >= limit && start.elapsed() < limit + SECOND, "{key}");
        }
        lock.close().await.unwrap();
        granted
    }));
    let lets_go = async {
        // All but five, while they wait.
        tokio::time::sleep(MS * 30).await;
        for lock in &mut held[5..] {
            lock.release().await.unwrap();
        }
    };
    let (granted, ()) = join(waits, lets_go).await;
    assert!(!granted[..5].iter().any(|granted| *granted));
    let count = granted.iter().filter(|granted| **granted).count();
    assert!(count > 0, "none was granted in its turn");
}
