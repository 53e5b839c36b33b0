//! The check-up finds what is provoked, and nothing else.

use crate::cockroach::cockroach;
use crate::rds::rds_proxy;
use crate::rewriting::rewriting;
use crate::{in_time, locks};
use dlock_postgres::{Finding, Locks, ServerError, Severity};
use dlock_testkit::server::{PgBouncer, Postgres};
use std::error::Error;
use std::sync::Arc;
use tokio_postgres::{Client, Config, NoTls};

fn start(settings: &[(&str, &str)]) -> (Postgres, Config) {
    let server = Postgres::start(settings).expect("a PostgreSQL server");
    let config = server.url().parse().expect("a URL");
    (server, config)
}

async fn connect(config: &Config) -> Client {
    let (client, connection) = config.connect(NoTls).await.expect("a connection");
    tokio::spawn(connection);
    client
}

async fn check(config: &Config) -> Vec<Finding> {
    let locks = locks(config.clone(), "check");
    in_time(locks.check()).await.expect("a check-up")
}

fn names(found: &[Finding]) -> Vec<&'static str> {
    found.iter().map(|finding| finding.name).collect()
}

#[tokio::test]
async fn a_good_server_has_no_findings() {
    let (_server, config) = start(&[]);
    let found = check(&config).await;
    assert!(found.is_empty(), "{found:?}");
}

#[tokio::test]
async fn a_pooler_is_found() {
    let (server, _) = start(&[]);
    let pooler = PgBouncer::start(&server).expect("a pgbouncer");
    let found = check(&pooler.url().parse().expect("a URL")).await;
    assert_eq!(names(&found), ["transaction-pooler"]);
    assert_eq!(found[0].severity, Severity::Fault);
    assert!(found[0].to_string().contains("XactLock"), "{}", found[0]);
}

/// RDS Proxy takes no settings at the start of a session. It is scripted, by what it is known to answer.
#[tokio::test]
async fn rds_proxy_is_found() {
    let found = check(&rds_proxy().await).await;
    assert_eq!(names(&found), ["transaction-pooler"]);
    assert_eq!(found[0].severity, Severity::Fault);
    assert!(found[0].what.contains("RDS Proxy"), "{}", found[0]);
}

#[tokio::test]
async fn a_standby_is_found() {
    let standby = Postgres::start_standby().expect("a standby");
    let found = check(&standby.url().parse().expect("a URL")).await;
    assert_eq!(names(&found), ["standby"]);
}

#[tokio::test]
async fn missing_grants_are_notes() {
    let (_server, config) = start(&[]);
    let admin = connect(&config).await;
    let revoke = "CREATE ROLE plain LOGIN; \
                  REVOKE EXECUTE ON FUNCTION pg_catalog.pg_lock_status() FROM PUBLIC";
    admin.batch_execute(revoke).await.expect("a plain role");
    let mut plain = config.clone();
    plain.user("plain");
    let found = check(&plain).await;
    assert_eq!(names(&found), ["cannot-look", "cannot-end-others"]);
    assert!(found.iter().all(|finding| finding.severity == Severity::Note));
    let locks = locks(plain, "plain");
    let error = in_time(locks.holders()).await.expect_err("it may not look");
    assert!(format!("{error:?}").contains("pg_lock_status"), "{error:?}");
}

#[tokio::test]
async fn a_lock_table_that_is_nearly_full_is_found() {
    let (_server, config) = start(&[
        ("max_locks_per_transaction", "10"),
        ("max_connections", "20"),
        ("max_wal_senders", "0"),
    ]);
    let client = connect(&config).await;
    let fill = "SELECT pg_advisory_lock(k) FROM generate_series(1, 180) k";
    client.batch_execute(fill).await.expect("locks");
    let found = check(&config).await;
    assert_eq!(names(&found), ["lock-table"]);
    assert!(found[0].what.contains("room for about 200"), "{}", found[0]);
}

/// A server that answers and does not lock, and does not say what it is: its functions say yes. It is
/// scripted, by functions that stand in for the real ones.
#[tokio::test]
async fn a_server_that_locks_nothing_is_found() {
    let (_server, config) = start(&[("allow_system_table_mods", "on")]);
    let admin = connect(&config).await;
    let lie = "ALTER FUNCTION pg_catalog.pg_try_advisory_lock(bigint) RENAME TO honest_lock; \
               CREATE FUNCTION pg_catalog.pg_try_advisory_lock(bigint) RETURNS boolean \
               LANGUAGE sql AS 'SELECT true'";
    admin.batch_execute(lie).await.expect("a lie");
    let found = check(&config).await;
    assert_eq!(names(&found), ["locks-nothing"]);
    assert_eq!(found[0].severity, Severity::Fault);
}

/// CockroachDB is refused when a session is opened, and is a finding. It is scripted: a PostgreSQL server, and
/// what CockroachDB says of itself.
#[tokio::test]
async fn cockroach_is_found_and_refused() {
    let (_server, config) = start(&[]);
    let config = cockroach(&config).await;
    let found = check(&config).await;
    assert_eq!(names(&found), ["locks-nothing"]);
    assert_eq!(found[0].severity, Severity::Fault);
    assert!(found[0].what.contains("CockroachDB"), "{}", found[0]);
    let error = in_time(Locks::builder(config).connect()).await.expect_err("it is refused");
    let error = error.source().and_then(|it| it.downcast_ref::<Arc<ServerError>>()).expect("why");
    assert!(matches!(**error, ServerError::LocksNothing), "{error:?}");
}

/// A lease that was pinned is a finding, and no lock is trusted for a time that nobody promised.
#[tokio::test]
async fn a_lease_that_was_not_taken_is_found() {
    for (to, what) in [
        ("idle_session_timeout=0   ", "idle_session_timeout at 0"),
        ("idle_session_timeout=9999", "idle_session_timeout at 9999ms"),
    ] {
        let config = rewriting("idle_session_timeout=3000", to).await;
        let found = check(&config).await;
        assert_eq!(names(&found), ["no-lease"]);
        assert!(found[0].what.contains(what), "{}", found[0]);
        let locks = locks(config, "pinned");
        let held = in_time(locks.lock("pinned")).await.expect("a lock");
        assert_eq!(held.trusted_for(), None);
        held.release().await.expect("a release");
    }
}

/// A server that is too old to know leases refuses the start-up (42704), and is asked without.
#[tokio::test]
async fn a_server_without_leases_is_used_without() {
    let config = rewriting("idle_session_timeout", "idle_sezzion_timeout").await;
    let locks = locks(config.clone(), "no lease");
    let held = in_time(locks.lock("no lease")).await.expect("a lock");
    assert_eq!(held.trusted_for(), None);
    held.release().await.expect("a release");
    assert_eq!(names(&check(&config).await), ["no-lease"]);
}
