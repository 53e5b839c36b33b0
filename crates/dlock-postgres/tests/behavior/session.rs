//! What a session lock does to the session, and inside a transaction begun by hand.

use crate::eye::{Eye, config, connect, connect_to, show};
use dlock_core::Wait;
use dlock_postgres::{Error, Lock, Session};
use futures::StreamExt;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_postgres::{AsyncMessage, NoTls};

const SETTINGS: &str = "SELECT string_agg(name || '=' || setting, ' ' ORDER BY name) \
                        FROM pg_settings WHERE name LIKE '%timeout%'";
const IDLE: &str = "SELECT now() = statement_timestamp()";

/// Every kind of wait, granted and not, leaves settings and transaction state as they were.
#[tokio::test]
async fn nothing_stays_in_the_session() {
    let mut config = config();
    config.options("-c lock_timeout=1234 -c statement_timeout=5678");
    let (client, holder) = (connect_to(&config).await, connect().await);
    let before = show(&client, SETTINGS).await;
    assert!(before.contains("lock_timeout=1234"), "{before}");
    let mut holder = Lock::new(holder, "settings").unwrap();
    for held in [false, true] {
        if held {
            holder.lock_within(Duration::from_secs(1)).await.unwrap().release().await.unwrap();
            assert!(holder.acquire(Wait::No).await.unwrap());
        }
        for wait in [Wait::No, Wait::For(Duration::from_millis(20))] {
            let mut lock = Lock::new(&client, "settings").unwrap();
            assert_eq!(lock.acquire(wait).await.unwrap(), !held);
            lock.close().await.unwrap();
            assert_eq!(show(&client, SETTINGS).await, before, "{wait:?}");
            assert_eq!(show(&client, IDLE).await, "t");
        }
    }
}

/// Not even a notice is sent in the normal course of things.
#[tokio::test]
async fn no_notices() {
    let (client, mut connection) = config().connect(NoTls).await.unwrap();
    let (notices, mut heard) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        let mut messages = futures::stream::poll_fn(move |cx| connection.poll_message(cx));
        while let Some(Ok(message)) = messages.next().await {
            if let AsyncMessage::Notice(notice) = message {
                notices.send(notice.to_string()).unwrap();
            }
        }
    });
    let mut lock = Lock::new(&client, "notices").unwrap();
    for wait in [Wait::No, Wait::For(Duration::from_millis(20)), Wait::Forever] {
        assert!(lock.acquire(wait).await.unwrap());
        lock.release().await.unwrap();
        drop(lock.lock().await.unwrap());
    }
    lock.close().await.unwrap();
    drop(lock);
    drop(client);
    assert_eq!(heard.recv().await, None);
}

/// A free key is taken there, in every kind of wait, and outlives it. A wait is refused, since it would
/// keep the transaction's snapshot and its settings would stay until COMMIT.
#[tokio::test]
async fn inside_a_transaction_begun_by_hand() {
    let (client, eye) = (connect().await, Eye::open().await);
    client.batch_execute("CREATE TEMP TABLE work (n int)").await.unwrap();
    let before = show(&client, SETTINGS).await;
    client.batch_execute("BEGIN; INSERT INTO work VALUES (1)").await.unwrap();
    let mut holder = Lock::new(connect().await, "by-hand").unwrap();
    assert!(holder.acquire(Wait::No).await.unwrap());
    let mut lock = Lock::new(&client, "by-hand").unwrap();
    for wait in [Wait::Forever, Wait::For(Duration::from_secs(1))] {
        let refused = lock.acquire(wait).await;
        assert!(matches!(refused, Err(Error::Refused { code: 25001, .. })), "{refused:?}");
        assert!(!lock.is_locked());
        assert_eq!(eye.sees("by-hand").await, (1, 0));
    }
    assert!(!lock.acquire(Wait::No).await.unwrap());
    holder.release().await.unwrap();
    assert_eq!(show(&client, SETTINGS).await, before);
    for wait in [Wait::No, Wait::For(Duration::from_secs(1)), Wait::Forever] {
        assert!(lock.acquire(wait).await.unwrap());
        lock.release().await.unwrap();
    }
    assert!(lock.acquire(Wait::Forever).await.unwrap());
    client.batch_execute("COMMIT").await.unwrap();
    assert_eq!(show(&client, "SELECT count(*) FROM work").await, "1");
    assert_eq!(eye.sees("by-hand").await, (1, 0));
    client.batch_execute("BEGIN; ROLLBACK").await.unwrap();
    assert_eq!(eye.sees("by-hand").await, (1, 0));
    lock.release().await.unwrap();
    assert_eq!(eye.sees("by-hand").await, (0, 0));
}

/// A dropped wait inside one leaves it usable.
#[tokio::test]
async fn a_drop_inside_a_transaction_begun_by_hand() {
    let (client, eye) = (connect().await, Eye::open().await);
    client.batch_execute("BEGIN; CREATE TEMP TABLE work (n int)").await.unwrap();
    let mut lock = Lock::new(&client, "by-hand-drop").unwrap();
    for polls in 1..3 {
        drop(dlock_testkit::polled::polled(lock.lock(), polls).await);
        client.batch_execute("INSERT INTO work VALUES (1)").await.unwrap();
    }
    client.batch_execute("COMMIT").await.unwrap();
    assert_eq!(show(&client, "SELECT count(*) FROM work").await, "2");
    assert_eq!(eye.sees("by-hand-drop").await, (0, 0));
}

/// A release that fails keeps the flag, and works once the transaction has ended.
#[tokio::test]
async fn release_in_an_aborted_transaction() {
    let (client, eye) = (connect().await, Eye::open().await);
    let mut lock = Lock::new(&client, "aborted").unwrap();
    assert!(lock.acquire(Wait::Forever).await.unwrap());
    client.batch_execute("BEGIN").await.unwrap();
    client.batch_execute("SELECT 1/0").await.unwrap_err();
    assert!(matches!(lock.release().await, Err(Error::Driver(_))));
    assert!(lock.is_locked());
    assert_eq!(eye.sees("aborted").await, (1, 0));
    client.batch_execute("ROLLBACK").await.unwrap();
    lock.release().await.unwrap();
    assert_eq!(eye.sees("aborted").await, (0, 0));
}

/// The same for a dropped guard: in doubt until the transaction has ended, and then truly free.
#[tokio::test]
async fn a_guard_dropped_in_an_aborted_transaction() {
    let (client, eye) = (connect().await, Eye::open().await);
    let mut lock = Lock::new(&client, "aborted-drop").unwrap();
    let guard = lock.lock().await.unwrap();
    client.batch_execute("BEGIN").await.unwrap();
    client.batch_execute("SELECT 1/0").await.unwrap_err();
    drop(guard);
    assert!(!lock.is_locked() && lock.session().is_none());
    assert!(lock.close().await.is_err());
    client.batch_execute("ROLLBACK").await.unwrap();
    lock.close().await.unwrap();
    assert_eq!(eye.sees("aborted-drop").await, (0, 0));
}

/// An unlock behind our back is a loss, on a session that lives on.
#[tokio::test]
async fn lost_on_a_live_session() {
    let client = connect().await;
    let mut lock = Lock::new(&client, "lost").unwrap();
    assert!(lock.acquire(Wait::No).await.unwrap());
    client.batch_execute("SELECT pg_advisory_unlock_all()").await.unwrap();
    assert!(matches!(lock.release().await, Err(Error::Lost(None))));
    assert!(!lock.is_locked());
    assert!(lock.acquire(Wait::Forever).await.unwrap());
    lock.release().await.unwrap();
}

/// The session comes back, with nothing held, from every kind that is owned.
#[tokio::test]
async fn into_session() {
    let eye = Eye::open().await;
    let mut lock = Lock::new(connect().await, "into").unwrap();
    assert!(lock.acquire(Wait::No).await.unwrap());
    let client = lock.into_session().await.unwrap();
    assert_eq!(eye.sees("into").await, (0, 0));
    let shared = Arc::new(client);
    let mut lock = Lock::new(Arc::clone(&shared), "into").unwrap();
    drop(lock.lock().await.unwrap());
    drop(lock.into_session().await.unwrap());
    assert_eq!(eye.sees("into").await, (0, 0));
    let (client, connection) = config().connect(NoTls).await.unwrap();
    let mut lock = Lock::new(Session::new(client, connection), "into").unwrap();
    assert!(lock.acquire(Wait::Forever).await.unwrap());
    drop(lock.into_session().await.unwrap());
    assert_eq!(eye.sees("into").await, (0, 0));
}

/// The two key spaces and both ends of them.
#[tokio::test]
async fn key_spaces() {
    let (client, eye) = (connect().await, Eye::open().await);
    for number in [i64::MIN, -1, 0, 1, i64::MAX] {
        let mut lock = Lock::new(&client, number).unwrap();
        assert!(lock.acquire(Wait::Forever).await.unwrap());
        assert_eq!(eye.sees(number).await, (1, 0));
        assert_eq!(eye.sees((0, 0)).await, (0, 0));
        drop(lock.lock().await);
        lock.release().await.unwrap();
        drop(lock.lock().await.unwrap());
        eye.until(number, (0, 0)).await;
    }
    for pair in [(i32::MIN, i32::MIN), (-1, 0), (0, -1), (i32::MAX, i32::MIN)] {
        let mut lock = Lock::new(&client, pair).unwrap();
        assert!(lock.acquire(Duration::from_secs(1)).await.unwrap());
        assert_eq!(eye.sees(pair).await, (1, 0));
        drop(lock);
        eye.until(pair, (0, 0)).await;
    }
}

/// A wait that one time-out of the server's cannot say.
#[tokio::test]
async fn longer_than_the_longest_time_out() {
    let (mut holder, eye) = (Lock::new(connect().await, "long").unwrap(), Eye::open().await);
    assert!(holder.acquire(Wait::No).await.unwrap());
    let mut lock = Lock::new(connect().await, "long").unwrap();
    for limit in [Duration::from_secs(40 * 24 * 3600), Duration::MAX] {
        let release = async {
            eye.until("long", (1, 1)).await;
            holder.release().await.unwrap();
        };
        let (granted, ()) = futures::future::join(lock.acquire(limit), release).await;
        assert!(granted.unwrap());
        lock.release().await.unwrap();
        assert!(holder.acquire(Wait::No).await.unwrap());
    }
}
