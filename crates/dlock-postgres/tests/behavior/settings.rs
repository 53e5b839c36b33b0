//! Sessions with settings that change what texts and transactions mean.

use crate::eye::{Eye, connect, holder, session};
use dlock_core::Wait;
use dlock_postgres::{AsSession, Key, Lock, XactLock};
use futures::future::join;
use std::sync::Arc;
use std::time::Duration;

const SETTINGS: [&str; 18] = [
    "standard_conforming_strings = off",
    "backslash_quote = off",
    "search_path = ''",
    "search_path = pg_temp",
    "default_transaction_read_only = on",
    "default_transaction_isolation = 'serializable'",
    "default_transaction_isolation = 'repeatable read'",
    "plpgsql.extra_errors = 'all'",
    "plpgsql.extra_warnings = 'all'",
    "plpgsql.variable_conflict = 'use_variable'",
    "client_encoding = 'LATIN1'",
    "array_nulls = off",
    "row_security = off",
    "transform_null_equals = on",
    "lock_timeout = '10ms'",
    "deadlock_timeout = '10ms'",
    "statement_timeout = '900ms'",
    "dlock.key = 'somebody else''s'",
];

#[tokio::test]
async fn of_any_kind() {
    let eye = Eye::open().await;
    let (mut client, both) = (connect().await, Arc::new(session().await));
    for setting in SETTINGS {
        for key in [Key::from("settings"), Key::from((i32::MIN, i32::MAX))] {
            let set = format!("SET {setting}");
            client.batch_execute(&set).await.unwrap();
            both.client().batch_execute(&set).await.unwrap();
            waits(Lock::new(&client, &key).unwrap(), &key, &eye, setting).await;
            waits(Lock::new(Arc::clone(&both), &key).unwrap(), &key, &eye, setting).await;
            let mut other = holder(&key).await;
            let transaction = client.transaction().await.unwrap();
            let mut lock = XactLock::new(&transaction, &key).unwrap();
            assert!(!lock.acquire(Duration::from_millis(20)).await.unwrap());
            other.release().await.unwrap();
            assert!(lock.acquire(Wait::Forever).await.unwrap());
            drop(lock);
            transaction.commit().await.unwrap();
            let name = setting.split_once(' ').unwrap().0;
            client.batch_execute(&format!("RESET {name}")).await.unwrap();
            both.client().batch_execute(&format!("RESET {name}")).await.unwrap();
        }
    }
}

async fn waits<S: AsSession>(mut lock: Lock<S>, key: &Key, eye: &Eye, setting: &str) {
    let mut other = holder(key).await;
    assert!(!lock.acquire(Duration::from_millis(20)).await.unwrap(), "{setting}");
    let release = async {
        eye.until(key, (1, 1)).await;
        tokio::time::sleep(Duration::from_millis(30)).await;
        other.release().await.unwrap();
    };
    let (granted, ()) = join(lock.acquire(Wait::Forever), release).await;
    assert!(granted.expect(setting), "{setting}");
    lock.release().await.unwrap();
    assert!(lock.acquire(Wait::No).await.unwrap());
    drop(lock);
    eye.until(key, (0, 0)).await;
}

/// Time limits so short that any statement may meet them: what is told is true all the same.
#[tokio::test]
async fn a_limit_of_a_millisecond() {
    let (client, eye) = (connect().await, Eye::open().await);
    client.batch_execute("SET statement_timeout = 1").await.unwrap();
    for _ in 0..60 {
        let mut lock = Lock::new(&client, "settings-limit").unwrap();
        let answer = lock.acquire(Wait::No).await;
        let held = answer.is_ok_and(|granted| granted);
        assert_eq!(eye.sees("settings-limit").await, (i64::from(held), 0));
        lock.close().await.unwrap();
        assert_eq!(eye.sees("settings-limit").await, (0, 0));
    }
}
