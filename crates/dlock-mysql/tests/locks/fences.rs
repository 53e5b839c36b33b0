//! Fenced transactions of two holders never overlap, whatever the holders believe.

use crate::locks;
use crate::server::{Flavour, conn, holder, number, opts, until_free};
use dlock_locks::{Error, FencedConnection, FencedDriver};
use dlock_mysql::mysql_async::Conn;
use dlock_mysql::mysql_async::prelude::Queryable;
use dlock_mysql::{Held, Key, Locks, Server};
use dlock_testkit::cases::fresh_key;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

async fn fenced(locks: &Locks, key: &str) -> Held {
    locks.key(key).expect("a key").fenced().lock().await.expect("a fenced lock")
}

/// What the first one holds is lost with its session, and it does not know.
async fn stale_and_new<E: Flavour>(key: &str) -> (Held, Held, Locks) {
    let [one, other] = [locks(opts::<E>()), locks(opts::<E>())];
    one.setup().await.expect("the tables");
    let (stale, mut observer) = (fenced(&one, key).await, conn::<E>().await);
    let id = holder(&mut observer, key).await.expect("a holder");
    observer.query_drop(format!("KILL {id}")).await.expect("a kill");
    let new = fenced(&other, key).await;
    (stale, new, other)
}

const IDLE: Duration = Duration::from_secs(30);

async fn begins(conn: &mut Conn, key: &Key, token: u64) -> bool {
    match FencedConnection::<Server>::begin(conn, key, token, IDLE).await.expect("an answer") {
        Some(transaction) => transaction.rollback().await.is_ok(),
        None => false,
    }
}

/// Tokens rise; whoever has an older one is refused, at each level of isolation, and leaves no lock behind.
pub(crate) async fn stale<E: Flavour>() {
    let key = fresh_key("fence");
    let (stale, new, locks) = stale_and_new::<E>(&key).await;
    let tokens = [&stale, &new].map(|held| held.token().expect("a token"));
    assert!(tokens[0] < tokens[1], "{tokens:?}");
    let [mut one, mut other] = [conn::<E>().await, conn::<E>().await];
    for level in ["READ UNCOMMITTED", "READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"] {
        let set = format!("SET SESSION TRANSACTION ISOLATION LEVEL {level}");
        one.query_drop(set).await.expect("a level");
        for _ in 0..100 {
            assert!(!begins(&mut one, stale.key(), tokens[0]).await, "{level}");
        }
        assert!(begins(&mut one, new.key(), tokens[1]).await, "{level}");
    }
    let transaction = new.begin(&mut other).await.expect("a transaction");
    assert!(!begins(&mut one, stale.key(), tokens[0]).await);
    transaction.commit().await.expect("a commit");
    new.release().await.expect("a release");
    let next = fenced(&locks, &key).await;
    assert!(next.token().expect("a token") > tokens[1]);
    assert!(matches!(
        locks.lock(fresh_key("none")).await.expect("a lock").begin(&mut one).await,
        Err(Error::NotFenced { .. })
    ));
}

/// A stale holder writes whenever it is let, and the new one has its fence when no such transaction is open.
pub(crate) async fn overlap<E: Flavour>() {
    let (key, inside) = (fresh_key("overlap"), Arc::new(AtomicUsize::new(0)));
    let [one, other] = [locks(opts::<E>()), locks(opts::<E>())];
    one.setup().await.expect("the tables");
    let mut observer = conn::<E>().await;
    for _ in 0..20 {
        let (stale, id) = (fenced(&one, &key).await, holder(&mut observer, &key).await);
        let (key_of, token) = (stale.key().clone(), stale.token().expect("a token"));
        let (is_over, mut writers) = (Arc::new(AtomicBool::new(false)), JoinSet::new());
        for _ in 0..3 {
            let (key, inside, is_over) = (key_of.clone(), inside.clone(), is_over.clone());
            let mut conn = conn::<E>().await;
            writers.spawn(async move {
                while !is_over.load(Ordering::SeqCst) {
                    let begun =
                        FencedConnection::<Server>::begin(&mut conn, &key, token, IDLE).await;
                    let Some(transaction) = begun.expect("an answer") else { continue };
                    inside.fetch_add(1, Ordering::SeqCst);
                    tokio::time::sleep(Duration::from_millis(1)).await;
                    inside.fetch_sub(1, Ordering::SeqCst);
                    transaction.commit().await.expect("a commit");
                }
            });
        }
        let id = id.expect("a holder");
        observer.query_drop(format!("KILL {id}")).await.expect("a kill");
        let new = fenced(&other, &key).await;
        for _ in 0..50 {
            assert_eq!(inside.load(Ordering::SeqCst), 0, "an older holder's transaction is open");
            tokio::task::yield_now().await;
        }
        is_over.store(true, Ordering::SeqCst);
        while let Some(ended) = writers.join_next().await {
            ended.expect("no panic");
        }
        new.release().await.expect("a release");
        drop(stale);
    }
}

/// Eight overlapping transactions of a stale holder's, of 50 ms each: a raise waits for the last one that was
/// begun before it, and for no other.
pub(crate) async fn raises<E: Flavour>() {
    let (key, mut times) = (fresh_key("raise"), Vec::new());
    let locks = locks(opts::<E>());
    locks.setup().await.expect("the tables");
    let key = Key::try_from(key).expect("a key");
    for _ in 0..10 {
        let held = fenced(&locks, key.as_str()).await;
        let token = held.token().expect("a token");
        held.release().await.expect("a release");
        let (is_over, begun) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let mut writers = JoinSet::new();
        for number in 0..8 {
            let (key, is_over, begun) = (key.clone(), is_over.clone(), begun.clone());
            let mut conn = conn::<E>().await;
            writers.spawn(async move {
                tokio::time::sleep(Duration::from_millis(number * 6)).await;
                while !is_over.load(Ordering::SeqCst) {
                    let opened =
                        FencedConnection::<Server>::begin(&mut conn, &key, token, IDLE).await;
                    let Some(transaction) = opened.expect("an answer") else { continue };
                    begun.fetch_add(1, Ordering::SeqCst);
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    transaction.commit().await.expect("a commit");
                }
            });
        }
        while begun.load(Ordering::SeqCst) < 16 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let asked = Instant::now();
        let held = fenced(&locks, key.as_str()).await;
        times.push(asked.elapsed());
        is_over.store(true, Ordering::SeqCst);
        writers.join_all().await;
        held.release().await.expect("a release");
    }
    times.sort();
    println!("a raise took {:?} in the median, {:?} at worst", times[5], times[9]);
    assert!(times[5] < Duration::from_millis(100), "{times:?}");
}

/// A fenced lock that is asked for with a deadline is not waited for longer: its key is free again then.
pub(crate) async fn bounded<E: Flavour>() {
    let (key, mut one) = (fresh_key("bounded"), conn::<E>().await);
    let locks = locks(opts::<E>());
    locks.setup().await.expect("the tables");
    let held = fenced(&locks, &key).await;
    let transaction = held.begin(&mut one).await.expect("a transaction");
    held.release().await.expect("a release");
    let request = locks.key(&key).expect("a key").fenced();
    for limit in [150, 700, 1500] {
        let (limit, begun) = (Duration::from_millis(limit), Instant::now());
        let refused = request.lock_within(limit).await;
        assert!(matches!(refused, Err(Error::TimedOut { .. })), "{refused:?}");
        let took = begun.elapsed();
        println!("{limit:?} were {took:?}");
        assert!(took >= limit && took < limit + Duration::from_millis(500), "{took:?}");
    }
    // A neighbour is not in the way.
    fenced(&locks, &format!("{key} too")).await.release().await.expect("a release");
    transaction.rollback().await.expect("a rollback");
    request.lock_within(Duration::from_secs(5)).await.expect("a lock").release().await.expect("ok");
}

/// No database, no tables: an error that says what to do. With the tables a new key's first fences do not
/// stand in each other's way.
pub(crate) async fn setup<E: Flavour>() {
    let mut admin = conn::<E>().await;
    let database = fresh_key("fences").replace('-', "_");
    admin.query_drop(format!("CREATE DATABASE `{database}`")).await.expect("a database");
    for (name, word) in [(None, "database"), (Some(&database), Server::DDL)] {
        let locks = locks(opts::<E>().db_name(name.cloned()));
        let key = fresh_key("setup");
        let error = locks.key(&key).expect("a key").fenced().lock().await.expect_err("no tables");
        let Error::Setup { advice, .. } = &error else { panic!("{error:?}") };
        assert!(advice.contains(word) && error.to_string() == *advice, "{error}");
        until_free(&mut admin, &key).await;
    }
    let locks = locks(opts::<E>().db_name(Some(database.clone())));
    locks.setup().await.expect("the tables");
    locks.setup().await.expect("they are there");
    let (mut tasks, key) = (JoinSet::new(), fresh_key("new"));
    for number in 0..20 {
        let (locks, key) = (locks.clone(), format!("{key} {number}"));
        tasks.spawn(async move { fenced(&locks, &key).await.release().await });
    }
    for released in tasks.join_all().await {
        released.expect("a release");
    }
    let rows = format!("SELECT COUNT(*) FROM `{database}`.dlock_fence WHERE n=1");
    assert_eq!(number(&mut admin, &rows).await, Some(20));
    admin.query_drop(format!("DROP DATABASE `{database}`")).await.expect("no database");
}

/// What a fenced transaction reads it reads when older ones are over: no update is lost.
pub(crate) async fn reads<E: Flavour>() {
    let (key, table) = (fresh_key("reads"), fresh_key("table").replace('-', "_"));
    let mut admin = conn::<E>().await;
    let create = format!("CREATE TABLE `{table}` (n INT) ENGINE=InnoDB");
    admin.query_drop(create).await.expect("a table");
    admin.query_drop(format!("INSERT INTO `{table}` VALUES (0)")).await.expect("a row");
    let [one, other] = [locks(opts::<E>()), locks(opts::<E>())];
    one.setup().await.expect("the tables");
    let mut tasks = JoinSet::new();
    for locks in [one, other] {
        let (key, table, mut conn) = (key.clone(), table.clone(), conn::<E>().await);
        tasks.spawn(async move {
            for _ in 0..50 {
                let held = fenced(&locks, &key).await;
                let mut transaction = held.begin(&mut conn).await.expect("a transaction");
                let read = format!("SELECT n FROM `{table}`");
                let n: Option<i64> = transaction.query_first(read).await.expect("a row");
                let write = format!("UPDATE `{table}` SET n={}", n.expect("a row") + 1);
                transaction.query_drop(write).await.expect("an update");
                // The lock goes first: the next holder's fence is behind this.
                held.release().await.expect("a release");
                transaction.commit().await.expect("a commit");
            }
        });
    }
    tasks.join_all().await;
    let read = format!("SELECT n FROM `{table}`");
    assert_eq!(number(&mut admin, &read).await, Some(100));
    admin.query_drop(format!("DROP TABLE `{table}`")).await.expect("no table");
}

/// Two spellings of a name that is one to MySQL have one fence.
pub(crate) async fn twins() {
    use dlock_testkit::server::Mysql;
    let key = fresh_key("É fence");
    let locks = locks(opts::<Mysql>());
    locks.setup().await.expect("the tables");
    let first = fenced(&locks, &key).await;
    let (stale, token) = (first.key().clone(), first.token().expect("a token"));
    first.release().await.expect("a release");
    let second = fenced(&locks, &key.replace('É', "é")).await;
    assert!(second.token().expect("a token") > token);
    assert!(!begins(&mut conn::<Mysql>().await, &stale, token).await);
}
