//! What a caller may do around a held lock that its author did not think of.

use crate::server::{Flavour, code, conn, holder, number};
use dlock_core::Wait;
use dlock_mysql::Lock;
use dlock_mysql::mysql_async::Conn;
use dlock_mysql::mysql_async::prelude::Queryable;
use dlock_testkit::cases::fresh_key;
use std::time::Duration;

async fn table<E: Flavour>() -> String {
    let name = fresh_key("strangers").replace('-', "_");
    let create = format!("CREATE TABLE {name} (n INT PRIMARY KEY) ENGINE=InnoDB");
    conn::<E>().await.query_drop(create).await.unwrap();
    name
}

async fn gone<E: Flavour>(table: String) {
    conn::<E>().await.query_drop(format!("DROP TABLE {table}")).await.unwrap();
}

/// Tables that are locked neither free a key nor stand in the way of one.
pub(crate) async fn lock_tables<E: Flavour>() {
    let (key, table, mut observer) = (fresh_key("tables"), table::<E>().await, conn::<E>().await);
    let mut lock = Lock::new(conn::<E>().await, key.as_str()).unwrap();
    let mut guard = lock.lock().await.unwrap();
    let text = format!("LOCK TABLES {table} WRITE");
    guard.session().query_drop(&text).await.unwrap();
    assert!(holder(&mut observer, &key).await.is_some());
    guard.release().await.unwrap();
    assert_eq!(holder(&mut observer, &key).await, None);
    for wait in [Wait::No, Wait::For(Duration::from_millis(300)), Wait::Forever] {
        assert!(lock.acquire(wait).await.unwrap());
        lock.session().unwrap().query_drop("UNLOCK TABLES").await.unwrap();
        assert!(holder(&mut observer, &key).await.is_some());
        lock.session().unwrap().query_drop(&text).await.unwrap();
        lock.release().await.unwrap();
        assert_eq!(holder(&mut observer, &key).await, None);
    }
    let mut elsewhere = Lock::new(observer, key.as_str()).unwrap();
    assert!(elsewhere.acquire(Wait::No).await.unwrap());
    assert!(!lock.acquire(Duration::from_millis(50)).await.unwrap());
    let mut conn = lock.into_session().await.unwrap();
    assert_eq!(number(&mut conn, &format!("SELECT COUNT(*) FROM {table}")).await, Some(0));
    conn.query_drop("UNLOCK TABLES").await.unwrap();
    gone::<E>(table).await;
}

async fn idle(conn: &mut Conn, table: &str, xid: &str) {
    for text in [
        format!("XA START '{xid}'"),
        format!("INSERT INTO {table} VALUES (1)"),
        format!("XA END '{xid}'"),
    ] {
        conn.query_drop(text).await.unwrap();
    }
}

/// Between `XA END` and the end of the transaction a table cannot be read, and a key can be released and acquired.
pub(crate) async fn xa_by_hand<E: Flavour>() {
    let (key, table, mut observer) = (fresh_key("xa"), table::<E>().await, conn::<E>().await);
    let mut lock = Lock::new(conn::<E>().await, key.as_str()).unwrap();
    let mut guard = lock.lock().await.unwrap();
    idle(guard.session(), &table, &key).await;
    assert_eq!(code(guard.session(), &format!("SELECT n FROM {table}")).await, 1399);
    guard.release().await.unwrap();
    assert_eq!(holder(&mut observer, &key).await, None);
    for wait in [Wait::No, Wait::For(Duration::from_millis(300)), Wait::Forever] {
        assert!(lock.acquire(wait).await.unwrap());
        assert!(holder(&mut observer, &key).await.is_some());
        lock.release().await.unwrap();
    }
    assert!(lock.acquire(Wait::No).await.unwrap());
    commit(lock.session().unwrap(), &key).await;
    assert!(holder(&mut observer, &key).await.is_some(), "an end of a transaction frees no key");
    lock.release().await.unwrap();
    assert_eq!(number(&mut observer, &format!("SELECT COUNT(*) FROM {table}")).await, Some(1));
    gone::<E>(table).await;
}

async fn commit(conn: &mut Conn, xid: &str) {
    conn.query_drop(format!("XA COMMIT '{xid}' ONE PHASE")).await.unwrap();
}

/// A guard that is dropped there lets the key go, and leaves the transaction.
pub(crate) async fn xa_dropped<E: Flavour>() {
    let (key, table, mut observer) = (fresh_key("xad"), table::<E>().await, conn::<E>().await);
    let mut lock = Lock::new(conn::<E>().await, key.as_str()).unwrap();
    let mut guard = lock.lock().await.unwrap();
    idle(guard.session(), &table, &key).await;
    drop(guard);
    lock.close().await.unwrap();
    assert_eq!(holder(&mut observer, &key).await, None);
    commit(lock.session().unwrap(), &key).await;
    assert_eq!(number(&mut observer, &format!("SELECT COUNT(*) FROM {table}")).await, Some(1));
    gone::<E>(table).await;
}

/// A key is had inside a transaction of that kind, and stays held behind `XA PREPARE`.
pub(crate) async fn xa_inside<E: Flavour>() {
    let (key, table, mut observer) = (fresh_key("xai"), table::<E>().await, conn::<E>().await);
    let mut session = conn::<E>().await;
    session.query_drop(format!("XA START '{key}'")).await.unwrap();
    session.query_drop(format!("INSERT INTO {table} VALUES (1)")).await.unwrap();
    let mut lock = Lock::new(session, key.as_str()).unwrap();
    for wait in [Wait::No, Wait::For(Duration::from_millis(300)), Wait::Forever] {
        assert!(lock.acquire(wait).await.unwrap());
        lock.release().await.unwrap();
    }
    assert!(lock.acquire(Wait::Forever).await.unwrap());
    let session = lock.session().unwrap();
    session.query_drop(format!("XA END '{key}'")).await.unwrap();
    session.query_drop(format!("XA PREPARE '{key}'")).await.unwrap();
    assert!(holder(&mut observer, &key).await.is_some());
    session.query_drop(format!("XA COMMIT '{key}'")).await.unwrap();
    lock.release().await.unwrap();
    assert_eq!(holder(&mut observer, &key).await, None);
    gone::<E>(table).await;
}
