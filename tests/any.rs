//! Locks on the server that a URL names.

use dlock_db::postgres::tokio_postgres;
use dlock_db::{AnyError, AnyKey, AnyLocks, LocksError};
use dlock_testkit::server::{MariaDb, MySql, Postgres};
use std::time::Duration;

fn postgres() -> String {
    let server = Postgres::shared().expect("a PostgreSQL server");
    server.url().to_owned()
}

fn mariadb() -> String {
    let server = MariaDb::shared().expect("a MariaDB server");
    server.url().to_owned()
}

async fn locks(url: &str) -> AnyLocks {
    AnyLocks::connect(url).await.expect("a server that answers")
}

/// Two of them are two processes.
async fn exclude_each_other(url: &str, key: &str) {
    let [one, other] = [locks(url).await, locks(url).await];
    let held = one.lock(key).await.expect("a free key");
    assert!(other.try_lock(key).await.expect("an answer").is_none());
    let waited = other.lock_within(key, Duration::from_millis(50)).await;
    assert!(matches!(waited, Err(LocksError::TimedOut { .. })), "{waited:?}");
    held.release().await.expect("a held key");
    let all = other.lock_all([key, "any:b", key], Duration::from_secs(5)).await;
    assert_eq!(all.expect("free keys").keys().count(), 2);
}

#[tokio::test]
async fn postgres_by_its_scheme() {
    exclude_each_other(&postgres(), "any:postgres").await;
}

#[tokio::test]
async fn mariadb_by_its_scheme() {
    exclude_each_other(&mariadb(), "any:mariadb").await;
}

/// Two names that are one to the server are had, and in the order in which the driver's own `Locks` has them.
#[tokio::test]
async fn several_keys_in_the_order_of_the_server() {
    let url = MySql::shared().expect("a MySQL server").url();
    let any = locks(url).await;
    let own = dlock_db::mysql::Locks::connect(url).await.expect("a server that answers");
    let limit = Duration::from_secs(10);
    let twins = any.lock_all(["any:Job", "any:job"], limit).await.expect("one lock");
    twins.release().await.expect("a held key");
    for round in 0..20 {
        let [one, other] = [format!("any:A {round}"), format!("any:b {round}")];
        let [two, another] = [one.to_lowercase(), other.to_uppercase()];
        let (here, there) =
            (any.lock_all([one, other], limit), own.lock_all([another, two], limit));
        let here = async { here.await.map(drop) };
        let there = async { there.await.map(drop) };
        let (here, there) = tokio::join!(here, there);
        assert!(here.is_ok() && there.is_ok(), "{here:?}, {there:?}");
    }
    let names = ["any:z", "any:m", "any:a", "any:q"];
    let here = any.lock_all(names, limit).await.expect("free keys");
    let order = Vec::from_iter(here.keys().map(ToString::to_string));
    drop(here);
    let there = own.lock_all(names, limit).await.expect("free keys");
    assert_eq!(order, Vec::from_iter(there.keys().map(ToString::to_string)));
}

#[tokio::test]
async fn a_key_is_called_by_its_name() {
    let locks = locks(&postgres()).await;
    let _held = locks.lock("any:named").await.expect("a free key");
    let holders = locks.holder("any:named").await.expect("an answer");
    assert_eq!(holders.len(), 1, "{holders:?}");
    assert!(holders[0].key.to_string().starts_with("any:named"), "{holders:?}");
    let all = locks.holders().await.expect("an answer");
    assert!(all.iter().any(|it| it.key.to_string().starts_with("any:named")), "{all:?}");
}

#[tokio::test]
async fn two_numbers_name_a_lock_on_postgres_alone() {
    let key = AnyKey::from((7, 11));
    locks(&postgres()).await.lock(key.clone()).await.expect("a free key").release().await.unwrap();
    let refused = locks(&mariadb()).await.lock(key).await;
    assert!(matches!(refused, Err(LocksError::Key(_))), "{refused:?}");
}

#[tokio::test]
async fn what_a_server_has_not_is_an_error() {
    let locks = locks(&mariadb()).await;
    let refused = locks.key("any:shared").expect("a key").shared().try_lock().await;
    let Err(LocksError::Driver { source, .. }) = refused else { panic!("{refused:?}") };
    assert!(matches!(*source, AnyError::Unsupported { .. }), "{source:?}");
    assert_eq!(source.to_string(), "MySQL has no shared mode");
}

#[tokio::test]
async fn a_scheme_that_nobody_goes_by_is_an_error() {
    for url in ["redis://secret@nowhere", "nothing", ""] {
        let Err(LocksError::NotConnected { source: Some(source) }) = AnyLocks::connect(url).await
        else {
            panic!("{url} names no server")
        };
        assert!(matches!(*source, AnyError::Scheme), "{source:?}");
        assert!(!format!("{source:?} {source}").contains("secret"));
    }
}

#[tokio::test]
async fn a_fenced_transaction_begins_on_the_users_connection() {
    let locks = locks(&postgres()).await;
    locks.setup().await.expect("tables");
    let held = locks.key("any:fenced").expect("a key").fenced().lock().await.expect("a free key");
    assert!(held.token().is_some());
    let url = postgres();
    let connected = tokio_postgres::connect(&url, tokio_postgres::NoTls);
    let (mut client, connection) = connected.await.expect("a server that answers");
    tokio::spawn(connection);
    let transaction = held.begin(&mut client).await.expect("a fence that stands");
    transaction.commit().await.expect("a transaction");
}
