//! COMMIT and ROLLBACK, the caller's and nobody else's.

use crate::bench::Bench;
use dlock_core::Wait;
use dlock_oracle::{Error, Key, Lock};
use oracle::Connection;
use std::sync::Arc;
use std::time::Duration;

pub(crate) async fn frees() {
    let bench = Bench::new("commit-frees");
    let mut lock = bench.lock("k").release_on_commit();
    let ends: [fn(&Connection); 2] = [|c| c.commit().unwrap(), |c| c.rollback().unwrap()];
    for end in ends {
        assert!(lock.acquire(Wait::No).await.unwrap());
        assert_eq!(bench.seen("k"), (1, 0));
        end(lock.session().unwrap());
        assert_eq!(bench.seen("k"), (0, 0));
        lock.release().await.unwrap();
        assert!(!lock.is_locked());
    }
    assert!(lock.acquire(Duration::from_secs(1)).await.unwrap());
    lock.release().await.unwrap();
    assert_eq!(bench.seen("k"), (0, 0), "a release before the COMMIT frees it too");
}

pub(crate) async fn does_not_free_the_rest() {
    let bench = Bench::new("commit-rest");
    let mut lock = bench.lock("k");
    assert!(lock.acquire(Wait::No).await.unwrap());
    lock.session().unwrap().commit().unwrap();
    lock.session().unwrap().rollback().unwrap();
    assert_eq!(bench.seen("k"), (1, 0));
    lock.release().await.unwrap();
}

/// What a COMMIT has freed another lock over the session may take, and the first one's release does
/// not free that.
pub(crate) async fn makes_way_over_one_session() {
    let bench = Bench::new("commit-way");
    let session = bench.shared();
    let lock = || Lock::new(Arc::clone(&session), "k").unwrap();
    let (mut first, mut second) = (lock().release_on_commit(), lock());
    assert!(first.acquire(Wait::No).await.unwrap());
    assert!(matches!(second.acquire(Wait::No).await, Err(Error::AlreadyHeld)));
    session.commit().unwrap();
    assert!(second.acquire(Wait::No).await.unwrap());
    first.release().await.unwrap();
    assert_eq!(bench.seen("k"), (1, 0));
    second.release().await.unwrap();
}

pub(crate) async fn autocommit_is_refused() {
    let bench = Bench::new("autocommit");
    let mut connection = bench.connect();
    connection.set_autocommit(true);
    let mut lock = Lock::new(connection, "k").unwrap();
    assert!(lock.acquire(Wait::No).await.unwrap());
    lock.release().await.unwrap();
    let mut lock = lock.release_on_commit();
    let answer = lock.acquire(Wait::No).await;
    assert!(matches!(answer, Err(Error::Setup { source: None, .. })), "{answer:?}");
    assert!(!lock.is_locked());
}

/// Whatever a lock does, the caller's transaction goes on: a lock that ends with it is the witness.
pub(crate) async fn never_of_ours() {
    let bench = Bench::new("commit-never");
    let session = bench.shared();
    let mut witness = Lock::new(Arc::clone(&session), "witness").unwrap().release_on_commit();
    assert!(witness.acquire(Wait::No).await.unwrap());
    let (mut holder, mut lock) = (bench.lock("k"), Lock::new(Arc::clone(&session), "k").unwrap());
    assert!(holder.acquire(Wait::No).await.unwrap());
    for wait in [Wait::No, Wait::For(Duration::from_millis(20))] {
        assert!(!lock.acquire(wait).await.unwrap());
    }
    let dropped =
        tokio::time::timeout(Duration::from_millis(20), lock.acquire(Wait::Forever)).await;
    assert!(dropped.is_err());
    lock.close().await.unwrap();
    holder.release().await.unwrap();
    assert!(lock.acquire(Wait::Forever).await.unwrap());
    lock.convert(dlock_oracle::Mode::S, Wait::No).await.unwrap();
    drop(lock.lock_owned().await);
    bench.until("k", (0, 0)).await;
    assert_eq!(bench.seen("witness"), (1, 0));
    assert_eq!(witness.key(), &Key::from("witness"));
    witness.release().await.unwrap();
}
