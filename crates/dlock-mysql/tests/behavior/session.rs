//! The sessions that locks are made over, and what locks leave of them.

use crate::server::{Flavour, address, conn, number, through, until_awaited};
use dlock_core::Wait;
use dlock_mysql::mysql_async::prelude::Queryable;
use dlock_mysql::mysql_async::{Conn, Connection, TxOpts};
use dlock_mysql::{Lock, Mode, Place};
use dlock_testkit::cases::fresh_key;
use dlock_testkit::proxy::Proxy;
use futures::future::join;
use std::time::{Duration, Instant};

/// One constructor for whatever session it is given.
pub(crate) async fn every_kind<E: Flavour>() {
    let (key, mut session) = (fresh_key("kinds"), conn::<E>().await);
    try_out(dlock_core::lock(&mut session, key.as_str()).unwrap()).await;
    let mut connection = Connection::from(&mut session);
    try_out(dlock_core::lock(&mut connection, key.as_str()).unwrap()).await;
    let mut transaction = session.start_transaction(TxOpts::new()).await.unwrap();
    try_out(dlock_core::lock(&mut transaction, key.as_str()).unwrap()).await;
    transaction.rollback().await.unwrap();
    try_out(dlock_core::lock(session, key.as_str()).unwrap()).await;
}

async fn try_out<S: Place>(mut lock: Lock<S>) {
    let guard = lock.lock().await.unwrap();
    assert_eq!(guard.mode(), Mode::Exclusive);
    guard.release().await.unwrap();
}

/// A time-out leaves the caller's transaction as it was; COMMIT leaves the lock.
pub(crate) async fn transaction<E: Flavour>() {
    let (key, table) = (fresh_key("tx"), fresh_key("table").replace('-', "_"));
    let mut session = conn::<E>().await;
    session.query_drop(format!("CREATE TABLE {table} (n INT) ENGINE=InnoDB")).await.unwrap();
    let mut holding = Lock::new(conn::<E>().await, key.as_str()).unwrap();
    assert!(holding.acquire(Wait::No).await.unwrap());
    let mut transaction = session.start_transaction(TxOpts::new()).await.unwrap();
    transaction.query_drop(format!("INSERT INTO {table} VALUES (1)")).await.unwrap();
    let mut lock = Lock::new(&mut transaction, key.as_str()).unwrap();
    assert!(!lock.acquire(Duration::from_millis(20)).await.unwrap());
    holding.release().await.unwrap();
    let mut guard = lock.lock().await.unwrap();
    guard.session().query_drop(format!("INSERT INTO {table} VALUES (2)")).await.unwrap();
    guard.session().query_drop("COMMIT").await.unwrap();
    assert!(!holding.acquire(Wait::No).await.unwrap(), "COMMIT does not free it");
    guard.release().await.unwrap();
    drop(lock);
    transaction.commit().await.unwrap();
    let rows = number(&mut session, &format!("SELECT COUNT(*) FROM {table}")).await;
    assert_eq!(rows, Some(2));
    session.query_drop(format!("DROP TABLE {table}")).await.unwrap();
}

/// No statement of a lock's leaves a setting behind.
pub(crate) async fn settings<E: Flavour>() {
    let (key, mut session) = (fresh_key("settings"), conn::<E>().await);
    let before = variables(&mut session).await;
    let mut holding = Lock::new(conn::<E>().await, key.as_str()).unwrap();
    let mut lock = Lock::new(session, key.as_str()).unwrap();
    for wait in [Wait::No, Wait::For(Duration::from_millis(10)), Wait::Forever] {
        lock.acquire(wait).await.unwrap();
        lock.release().await.unwrap();
    }
    assert!(holding.acquire(Wait::No).await.unwrap());
    assert!(!lock.acquire(Duration::from_millis(10)).await.unwrap());
    let after = variables(&mut lock.into_session().await.unwrap()).await;
    let changed: Vec<_> = after.iter().filter(|variable| !before.contains(variable)).collect();
    assert!(changed.is_empty(), "{changed:?}");
}

/// The session's variables, but those that count statements or tell the time.
async fn variables(session: &mut Conn) -> Vec<(String, String)> {
    let variables: Vec<(String, String)> = session.query("SHOW SESSION VARIABLES").await.unwrap();
    let moving = ["timestamp", "gtid", "rand_seed", "pseudo", "last_", "identity", "statement_id"];
    let still = |name: &str| !moving.iter().any(|part| name.contains(part));
    variables.into_iter().filter(|(name, _)| still(name)).collect()
}

/// A scope in a spawned task: its closure borrows the session and its future is `Send`.
pub(crate) async fn spawned_scope<E: Flavour>() {
    let mut lock = Lock::new(conn::<E>().await, fresh_key("scope")).unwrap();
    let scope = tokio::spawn(async move {
        lock.with(Wait::Forever, async |session: &mut Conn| number(session, "SELECT 7").await).await
    });
    assert_eq!(scope.await.unwrap().unwrap(), Some(7));
}

/// The connection comes back by `into_session`, freed, the same that was handed in.
pub(crate) async fn given_back<E: Flavour>() {
    let (key, session) = (fresh_key("back"), conn::<E>().await);
    let id = session.id();
    let mut lock = Lock::new(session, key.as_str()).unwrap();
    assert!(lock.acquire(Wait::No).await.unwrap());
    let mut session = lock.into_session().await.unwrap();
    assert_eq!(session.id(), id);
    assert_eq!(number(&mut session, &format!("SELECT IS_FREE_LOCK('{key}')")).await, Some(1));
}

/// The late error of a statement of the caller's does not stop the release.
pub(crate) async fn unread_error<E: Flavour>() {
    let mut lock = Lock::new(conn::<E>().await, fresh_key("unread")).unwrap();
    let mut guard = lock.lock().await.unwrap();
    drop(guard.session().query_iter("SELECT 1; SELECT no_such_column").await.unwrap());
    guard.release().await.unwrap();
    assert!(lock.session().is_some());
}

/// Whatever the caller has set, the answers are read right.
pub(crate) async fn hostile_settings<E: Flavour>() {
    for set in ["sql_select_limit=0", "sql_select_limit=1", "sql_mode='ANSI'", "autocommit=0"] {
        let (key, mut session) = (fresh_key("hostile"), conn::<E>().await);
        session.query_drop(format!("SET {set}")).await.unwrap();
        let mut lock = Lock::new(session, key.as_str()).unwrap();
        let mut other = Lock::new(conn::<E>().await, key.as_str()).unwrap();
        for _ in 0..3 {
            assert!(lock.acquire(Duration::from_millis(50)).await.unwrap(), "{set}");
            assert!(!other.acquire(Wait::No).await.unwrap(), "{set}");
            lock.release().await.unwrap();
            assert!(other.acquire(Wait::No).await.unwrap(), "{set}");
            assert!(!lock.acquire(Duration::from_millis(20)).await.unwrap(), "{set}");
            other.release().await.unwrap();
        }
    }
}

/// In a transaction that was begun by hand a free key takes one round trip, and a wait is a wait.
pub(crate) async fn begun_by_hand<E: Flavour>() {
    let (key, proxy) = (fresh_key("begun"), Proxy::start(address::<E>()).unwrap());
    let mut session = Conn::new(through::<E>(proxy.addr())).await.unwrap();
    session.query_drop("START TRANSACTION").await.unwrap();
    let mut lock = Lock::new(session, key.as_str()).unwrap();
    proxy.reset();
    assert!(lock.acquire(Wait::Forever).await.unwrap());
    assert_eq!(proxy.round_trips(), 1);
    lock.release().await.unwrap();
    assert_eq!(proxy.round_trips(), 2);
    let mut holding = Lock::new(conn::<E>().await, key.as_str()).unwrap();
    assert!(holding.acquire(Wait::No).await.unwrap());
    lock.session().unwrap().query_drop("DO 0").await.unwrap();
    let start = Instant::now();
    assert!(!lock.acquire(Duration::from_millis(60)).await.unwrap());
    assert!(start.elapsed() >= Duration::from_millis(60), "{:?}", start.elapsed());
    let release = async {
        until_awaited(&mut conn::<E>().await, &key).await;
        holding.release().await.unwrap();
    };
    let (granted, ()) = join(lock.acquire(Wait::Forever), release).await;
    assert!(granted.unwrap());
    lock.release().await.unwrap();
}
