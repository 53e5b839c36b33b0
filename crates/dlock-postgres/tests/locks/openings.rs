//! What can be wrong when a session is opened: each is one sentence, without the password.

use crate::{config, in_time, locks, ms};
use dlock_locks::Error;
use dlock_postgres::{Locks, LocksError, ServerError};
use dlock_testkit::server::{PgBouncer, Postgres};
use std::sync::Arc;
use std::time::Duration;
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

fn source(error: LocksError) -> Arc<ServerError> {
    let said = format!("{error:?} {error}");
    assert!(!said.contains("secret"), "{said}");
    match error {
        Error::NotConnected { source: Some(source) }
        | Error::NoSession { source: Some(source), .. } => source,
        other => panic!("{other:?}"),
    }
}

async fn refused(config: &Config) -> Arc<ServerError> {
    source(in_time(Locks::builder(config.clone()).connect()).await.expect_err("it is refused"))
}

#[tokio::test]
async fn a_pooler_of_transactions_is_refused() {
    let (server, _) = start(&[]);
    let ignoring = "ignore_startup_parameters = options\n";
    for (mode, lines) in [
        ("transaction", ""),
        ("transaction", ignoring),
        ("statement", ignoring),
        ("session", ignoring),
    ] {
        let pooler = PgBouncer::start_with(mode, lines, &server).expect("a pgbouncer");
        let error = refused(&pooler.url().parse().expect("a URL")).await;
        assert!(matches!(*error, ServerError::Pooler(_)), "{mode} {lines}: {error:?}");
        assert!(error.to_string().contains("by its own host and port"));
    }
}

/// One that hands the settings on is found by looking who runs somebody else's transaction.
#[tokio::test]
async fn a_pooler_with_clean_sessions_is_refused() {
    let (server, config) = start(&[]);
    let admin = connect(&config).await;
    let settings = "ALTER ROLE postgres SET search_path = pg_catalog";
    admin.batch_execute(settings).await.expect("a setting");
    let lines = "ignore_startup_parameters = options\n";
    let pooler = PgBouncer::start_with("transaction", lines, &server).expect("a pgbouncer");
    let error = refused(&pooler.url().parse().expect("a URL")).await;
    assert!(matches!(*error, ServerError::Pooler(_)), "{error:?}");
    let alone = Locks::builder(pooler.url().parse::<Config>().expect("a URL")).build();
    let alone = alone.expect("a thread").key("k").expect("a key").alone();
    let error = source(in_time(alone.lock()).await.map(drop).expect_err("it is refused"));
    assert!(matches!(*error, ServerError::Pooler(_)), "{error:?}");
}

#[tokio::test]
async fn full_servers_and_roles_say_so() {
    let (_server, config) = start(&[]);
    let admin = connect(&config).await;
    let roles = "CREATE ROLE one LOGIN CONNECTION LIMIT 1; CREATE ROLE nobody NOLOGIN";
    admin.batch_execute(roles).await.expect("roles");
    let mut one = config.clone();
    one.user("one").password("secret");
    let _first = connect(&one).await;
    let error = refused(&one).await;
    assert!(error.to_string().contains("CONNECTION LIMIT"), "{error}");
    let mut none = config.clone();
    none.user("nobody");
    assert!(refused(&none).await.to_string().contains("let this role in"));
    let mut nowhere = config.clone();
    nowhere.dbname("nowhere");
    assert_eq!(refused(&nowhere).await.to_string(), "there is no database of this name");
}

/// The lock that is held stays; what cannot be opened is said.
#[tokio::test]
async fn a_full_server_leaves_what_is_held() {
    let (_server, config) = start(&[
        ("max_connections", "8"),
        ("superuser_reserved_connections", "0"),
        ("max_wal_senders", "0"),
    ]);
    let locks = locks(config.clone(), "full");
    let held = in_time(locks.lock("k")).await.expect("a lock");
    let mut others = Vec::new();
    while let Ok((client, connection)) = config.connect(NoTls).await {
        tokio::spawn(connection);
        others.push(client);
    }
    let error = refused(&config).await;
    assert!(error.to_string().contains("max_connections"), "{error}");
    drop(in_time(locks.lock("another")).await.expect("a lock on the same session"));
    assert!(!held.is_lost());
    held.release().await.expect("a release");
}

/// A session that is open goes on; a new one is refused with what the server says.
#[tokio::test]
async fn a_password_that_changes_while_running() {
    let hba = "host all postgres 127.0.0.1/32 trust\nhost all all 127.0.0.1/32 scram-sha-256\n";
    let server = Postgres::start_with_rules(&[], hba).expect("a PostgreSQL server");
    let config: Config = server.url().parse().expect("a URL");
    let admin = connect(&config).await;
    admin.batch_execute("CREATE ROLE app LOGIN PASSWORD 'secret-1'").await.expect("a role");
    let mut app = config.clone();
    app.user("app").password("secret-1");
    let locks = locks(app.clone(), "app");
    let held = in_time(locks.lock("k")).await.expect("a lock");
    admin.batch_execute("ALTER ROLE app PASSWORD 'secret-2'").await.expect("another one");
    in_time(locks.lock("another")).await.expect("a lock").release().await.expect("a release");
    assert!(!held.is_lost());
    let kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'app'";
    admin.batch_execute(kill).await.expect("a kill");
    in_time(held.lost()).await;
    let error = source(in_time(locks.lock("k")).await.map(drop).expect_err("no session"));
    assert!(error.to_string().contains("with this password"), "{error}");
    assert!(!format!("{error:?}").contains("secret"), "{error:?}");
    admin.batch_execute("ALTER ROLE app PASSWORD 'secret-1'").await.expect("as before");
    in_time(locks.lock("k")).await.expect("a lock").release().await.expect("a release");
}

/// A role's limits are not the sessions'.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_role_with_limits_of_its_own() {
    let (_server, config) = start(&[]);
    let admin = connect(&config).await;
    admin
        .batch_execute(
            "CREATE ROLE app LOGIN; ALTER ROLE app SET statement_timeout = 100; \
             ALTER ROLE app SET lock_timeout = 50; ALTER ROLE app SET idle_session_timeout = 200; \
             ALTER ROLE app SET idle_in_transaction_session_timeout = 50; \
             ALTER ROLE app SET default_transaction_read_only = on; \
             ALTER ROLE app SET default_transaction_isolation = serializable; \
             ALTER ROLE app SET search_path = nowhere",
        )
        .await
        .expect("a role");
    let mut app = config;
    app.user("app");
    let [one, other] = [locks(app.clone(), "one"), locks(app, "other")];
    let held = in_time(one.lock("k")).await.expect("a lock");
    let refused = in_time(other.lock_within("k", ms(1500))).await;
    assert!(matches!(refused, Err(Error::TimedOut { .. })), "{refused:?}");
    assert!(!held.is_lost());
    held.release().await.expect("a release");
    in_time(other.lock("k")).await.expect("a lock").release().await.expect("a release");
}

/// Of several hosts, the one that is there and takes writes.
#[tokio::test]
async fn the_primary_of_several_hosts() {
    let (server, _) = start(&[]);
    let standby = Postgres::start_standby().expect("a standby");
    let (one, other) = (standby.port().expect("a port"), server.port().expect("a port"));
    let hosts = format!("127.0.0.1:1,127.0.0.1:{one},127.0.0.1:{other}");
    for rest in ["", "?target_session_attrs=read-write", "?target_session_attrs=primary"] {
        let url = format!("postgres://postgres@{hosts}/postgres{rest}");
        let locks = in_time(Locks::connect(url)).await.expect("the primary");
        in_time(locks.lock("k")).await.expect("a lock").release().await.expect("a release");
    }
    let pairs =
        format!("host=127.0.0.1,127.0.0.1 port={one},{other} user=postgres dbname=postgres");
    in_time(Locks::connect(pairs)).await.expect("the primary");
    let error = refused(&standby.url().parse().expect("a URL")).await;
    assert!(matches!(*error, ServerError::Standby), "{error:?}");
}

/// Options of the URL's own stay, and the sessions' come behind them.
#[tokio::test]
async fn options_and_names_of_the_url() {
    let (server, config) = start(&[]);
    let url = format!(
        "{}?options=-c%20work_mem%3D2MB%20-c%20search_path%3Dnowhere&application_name=mine",
        server.url()
    );
    let locks = in_time(Locks::connect(url)).await.expect("a session");
    let held = in_time(locks.lock("k")).await.expect("a lock");
    let seen = in_time(locks.holders()).await.expect("holders");
    assert_eq!(seen[0].application.as_deref(), Some("mine"));
    held.release().await.expect("a release");
    let named = Locks::builder(config).name("billing").connect();
    let named = in_time(named).await.expect("a session");
    let held = in_time(named.lock("k")).await.expect("a lock");
    let seen = in_time(named.holder("k")).await.expect("holders");
    assert_eq!(seen[0].application.as_deref(), Some("billing"));
    drop(held);
}

/// The server counts in milliseconds, and not very far: a lease is as long as it can be.
#[tokio::test]
async fn a_lease_that_never_ends() {
    let locks = Locks::builder(config()).lease(Duration::MAX).build().expect("a thread");
    let held = in_time(locks.lock("a lease that never ends")).await.expect("a lock");
    let trusted = held.trusted_for().expect("a lease");
    assert!(trusted > Duration::from_secs(21 * 24 * 3600), "{trusted:?}");
    held.release().await.expect("a release");
}
