//! A session whose connection is driven by whoever waits for it.

use crate::eye::{Eye, address, config, connect, pid, show, towards};
use dlock_core::Wait;
use dlock_postgres::{Error, Key, Lock, Session};
use dlock_testkit::polled::polled;
use dlock_testkit::proxy::Proxy;
use std::future::Future;
use std::task::{Context, Waker};
use std::time::Duration;
use tokio::time::timeout;
use tokio_postgres::{Config, NoTls};

const SECOND: Duration = Duration::from_secs(1);

pub(crate) async fn open(config: &Config) -> Session {
    let (client, connection) = config.connect(NoTls).await.unwrap();
    Session::new(client, connection)
}

pub(crate) async fn pair(lock: &mut Lock<Session>, wait: Wait) {
    assert!(lock.acquire(wait).await.unwrap());
    lock.release().await.unwrap();
}

/// Also the first time, when statements are prepared, and in both forms of key.
#[tokio::test]
async fn one_round_trip_each_way() {
    for key in [Key::from(-7), Key::from((7, -7))] {
        for wait in [Wait::No, Wait::For(SECOND), Wait::Forever] {
            let proxy = Proxy::start(address()).unwrap();
            let mut lock = Lock::new(open(&towards(proxy.addr())).await, &key).unwrap();
            proxy.reset();
            for trips in [2, 4, 6] {
                pair(&mut lock, wait).await;
                assert_eq!(proxy.round_trips(), trips, "{key}, {wait:?}");
            }
        }
    }
}

/// Statements that the caller drops are prepared again.
#[tokio::test]
async fn statements_that_were_discarded() {
    let mut lock = Lock::new(open(&config()).await, "own-discard").unwrap();
    for clear in ["SELECT", "DISCARD ALL", "DEALLOCATE ALL", "SELECT"] {
        for wait in [Wait::No, Wait::For(SECOND)] {
            pair(&mut lock, wait).await;
        }
        lock.session().unwrap().batch_execute(clear).await.unwrap();
    }
}

/// In a transaction that was aborted before nothing is prepared, and nobody is misled later.
#[tokio::test]
async fn a_first_wait_in_an_aborted_transaction() {
    let mut lock = Lock::new(open(&config()).await, "own-aborted").unwrap();
    lock.session().unwrap().batch_execute("BEGIN; SELECT 1/0").await.unwrap_err();
    assert!(matches!(lock.acquire(SECOND).await, Err(Error::Driver(_))));
    lock.session().unwrap().batch_execute("ROLLBACK; BEGIN").await.unwrap();
    pair(&mut lock, Wait::For(SECOND)).await;
    lock.session().unwrap().batch_execute("SELECT 1; COMMIT").await.unwrap();
    pair(&mut lock, Wait::Forever).await;
}

/// However often the first try is dropped, a few statements are prepared in the server, not one for each.
#[tokio::test]
async fn dropped_first_tries_prepare_three_at_most() {
    let mut lock = Lock::new(open(&config()).await, "own-first").unwrap();
    for _ in 0..20 {
        assert!(polled(lock.acquire(Wait::No), 1).await.is_none());
        lock.close().await.unwrap();
    }
    pair(&mut lock, Wait::No).await;
    let count = "SELECT count(*) FROM pg_prepared_statements";
    let count: u32 = show(lock.session().unwrap(), count).await.parse().unwrap();
    assert!(count <= 3, "{count}");
}

/// A try by the prepared statement takes a free key inside a transaction begun by hand, and keeps it past
/// COMMIT and ROLLBACK; a key held elsewhere is refused there, and nothing of the transaction is touched.
#[tokio::test]
async fn a_prepared_try_inside_a_transaction_begun_by_hand() {
    let (eye, mut holder) = (Eye::open().await, Lock::new(connect().await, "own-by-hand").unwrap());
    let mut lock = Lock::new(open(&config()).await, "own-by-hand").unwrap();
    for end in ["COMMIT", "ROLLBACK"] {
        pair(&mut lock, Wait::Forever).await;
        assert!(holder.acquire(Wait::No).await.unwrap());
        lock.session().unwrap().batch_execute("BEGIN").await.unwrap();
        for wait in [Wait::Forever, Wait::For(SECOND)] {
            let refused = lock.acquire(wait).await;
            assert!(matches!(refused, Err(Error::Refused { code: 25001, .. })), "{refused:?}");
        }
        assert!(!lock.acquire(Wait::No).await.unwrap());
        assert_eq!(show(lock.session().unwrap(), "SHOW lock_timeout").await, "0");
        assert_eq!(eye.sees("own-by-hand").await, (1, 0));
        holder.release().await.unwrap();
        assert!(lock.acquire(Wait::Forever).await.unwrap());
        lock.session().unwrap().batch_execute(end).await.unwrap();
        assert_eq!(eye.sees("own-by-hand").await, (1, 0));
        lock.release().await.unwrap();
    }
}

/// Statements of the caller's are answered, at once after ours and while the lock is held.
#[tokio::test]
async fn the_callers_statements_are_driven() {
    let mut lock = Lock::new(open(&config()).await, "own-caller").unwrap();
    for _ in 0..100 {
        let mut guard = lock.try_lock().await.unwrap().unwrap();
        let answer = timeout(SECOND, show(guard.session(), "SELECT 1")).await;
        assert_eq!(answer.unwrap(), "1");
        timeout(SECOND, guard.release()).await.unwrap().unwrap();
    }
    let session = lock.into_session().await.unwrap();
    assert_eq!(timeout(SECOND, show(session.client(), "SELECT 2")).await.unwrap(), "2");
}

/// A session that ends between two calls.
#[tokio::test]
async fn the_end_is_heard() {
    let mut lock = Lock::new(open(&config()).await, "own-end").unwrap();
    assert!(lock.acquire(Wait::No).await.unwrap());
    let number = pid(lock.session().unwrap()).await;
    show(&connect().await, &format!("SELECT pg_terminate_backend({number})")).await;
    assert!(matches!(lock.release().await, Err(Error::Lost(_))));
    assert!(matches!(lock.acquire(Wait::No).await, Err(Error::Closed)));
    assert!(matches!(lock.into_session().await, Err(Error::Closed)));
}

/// A future that was dropped in the middle leaves its answer to the task.
#[tokio::test]
async fn a_dropped_exchange_is_driven_on() {
    let eye = Eye::open().await;
    let mut lock = Lock::new(open(&config()).await, "own-drop").unwrap();
    for polls in 1..6 {
        drop(polled(lock.acquire(Wait::No), polls).await);
        timeout(SECOND, lock.close()).await.unwrap().unwrap();
        pair(&mut lock, Wait::No).await;
    }
    drop(lock.try_lock().await.unwrap().unwrap());
    timeout(SECOND, eye.until("own-drop", (0, 0))).await.unwrap();
}

/// A wait dropped after any number of polls leaves nothing: behind a prepared try, one whose statement is
/// gone, and one that has limits to set aside.
#[tokio::test]
async fn a_wait_dropped_at_every_poll() {
    let limit = "SET statement_timeout=60000";
    for before in ["SELECT 1", "DEALLOCATE ALL", limit] {
        for (held, trips) in [(false, 1), (true, 2)] {
            let mut polls = 1;
            while !drop_waiting(before, held, polls).await {
                polls += 1;
            }
            assert!(polls > trips, "{before}, held: {held}: over after {polls} polls");
        }
    }
}

/// Whether the wait was over before it was dropped.
async fn drop_waiting(before: &str, held: bool, polls: usize) -> bool {
    let (eye, mut holder) = (Eye::open().await, Lock::new(connect().await, "own-polls").unwrap());
    let mut lock = Lock::new(open(&config()).await, "own-polls").unwrap();
    for _ in 0..2 {
        pair(&mut lock, Wait::Forever).await;
    }
    lock.session().unwrap().batch_execute(before).await.unwrap();
    assert!(!held || holder.acquire(Wait::No).await.unwrap());
    let answer = polled(lock.acquire(Duration::from_millis(30)), polls).await;
    timeout(SECOND, lock.close()).await.unwrap().unwrap();
    timeout(SECOND, eye.until("own-polls", (i64::from(held), 0))).await.unwrap();
    holder.close().await.unwrap();
    assert_eq!(show(lock.session().unwrap(), "SELECT 7").await, "7");
    pair(&mut lock, Wait::Forever).await;
    answer.is_some()
}

/// The server hears that a session was dropped, held lock and all; after a future that was leaked, too.
#[tokio::test]
async fn a_dropped_session_says_goodbye() {
    let eye = Eye::open().await;
    let mut lock = Lock::new(open(&config()).await, "own-goodbye").unwrap();
    let mut acquire = Box::pin(lock.acquire(Wait::Forever));
    let mut context = Context::from_waker(Waker::noop());
    assert!(acquire.as_mut().poll(&mut context).is_pending());
    std::mem::forget(acquire);
    eye.until("own-goodbye", (1, 0)).await;
    drop(lock);
    timeout(SECOND, eye.until("own-goodbye", (0, 0))).await.unwrap();
    let mut lock = Lock::new(open(&config()).await, "own-goodbye").unwrap();
    assert!(lock.acquire(Wait::No).await.unwrap());
    drop(lock);
    timeout(SECOND, eye.until("own-goodbye", (0, 0))).await.unwrap();
}
