//! What the caller does on the session, beside the lock.

use crate::bench::{Bench, echo};
use dlock_core::Wait;
use dlock_oracle::{Error, Key, Lock, Oracle};
use oracle::Connection;
use std::sync::Arc;
use std::time::{Duration, Instant};

fn own(connection: &Connection, block: &str) {
    let id = Key::from("k").id();
    connection.execute(block, &[&id]).expect("a block of the caller's");
}

const REQUEST: &str =
    "declare code integer; begin code := dbms_lock.request(id => :1, timeout => 0); end;";
const RELEASE: &str = "declare code integer; begin code := dbms_lock.release(:1); end;";

/// The caller's own DBMS_LOCK holds the id: refused, and it stays the caller's.
pub(crate) async fn held_by_the_caller() {
    let bench = Bench::new("own-held");
    let mut lock = bench.lock("k");
    own(lock.session().unwrap(), REQUEST);
    for wait in [Wait::No, Wait::For(Duration::from_millis(50)), Wait::Forever] {
        assert!(matches!(lock.acquire(wait).await, Err(Error::AlreadyHeld)));
        assert_eq!(bench.seen("k"), (1, 0));
    }
    own(lock.session().unwrap(), RELEASE);
    assert!(lock.acquire(Wait::No).await.unwrap());
    lock.release().await.unwrap();
}

/// The caller's own DBMS_LOCK lets the id go: the lock is lost, and works again.
pub(crate) async fn released_by_the_caller() {
    let bench = Bench::new("own-released");
    let mut lock = bench.lock("k");
    assert!(lock.acquire(Wait::No).await.unwrap());
    own(lock.session().unwrap(), RELEASE);
    assert!(matches!(lock.release().await, Err(Error::Lost(None))));
    assert!(!lock.is_locked());
    assert!(lock.acquire(Wait::No).await.unwrap());
    lock.release().await.unwrap();
}

pub(crate) async fn session_comes_back() {
    let bench = Bench::new("own-session");
    let mut lock = bench.lock("k");
    assert!(lock.acquire(Wait::No).await.unwrap());
    let connection: Connection = lock.into_session().await.unwrap();
    assert_eq!(bench.seen("k"), (0, 0));
    echo(&connection, 7);
    let connection = Lock::new(connection, "never used").unwrap().into_session().await.unwrap();
    let shared = Arc::new(connection);
    let lock = Lock::new(Arc::clone(&shared), "k").unwrap();
    let guard = lock.lock_owned().await.unwrap();
    let back = guard.release().await.unwrap().into_session().await.unwrap();
    assert!(Arc::ptr_eq(&back, &shared));
    drop(back);
    let start = Instant::now();
    while Arc::strong_count(&shared) > 1 {
        assert!(start.elapsed() < Duration::from_secs(5), "someone else has a hold of it");
        tokio::task::yield_now().await;
    }
}

/// One constructor for whatever session it is given.
pub(crate) async fn session_trait() {
    let bench = Bench::new("own-trait");
    let mut owned = dlock_core::lock::<Oracle, _, _>(bench.connect(), 42).unwrap();
    let mut shared = dlock_core::lock::<Oracle, _, _>(bench.shared(), 42).unwrap();
    assert!(owned.acquire(Wait::No).await.unwrap());
    assert!(!shared.acquire(Wait::No).await.unwrap());
    owned.release().await.unwrap();
    let refused = dlock_core::lock::<Oracle, _, _>(bench.connect(), -1).unwrap_err();
    assert!(matches!(refused, Error::Key(_)), "{refused:?}");
}
