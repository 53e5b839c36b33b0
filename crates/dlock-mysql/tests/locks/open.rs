//! Sessions that cannot be had, and servers whose defaults are in the way.

use crate::server::{Flavour, conn, opts};
use crate::{LEASE, locks, ms};
use dlock_core::Wait;
use dlock_locks::Error;
use dlock_mysql::mysql_async::prelude::Queryable;
use dlock_mysql::mysql_async::{Opts, OptsBuilder};
use dlock_mysql::{Lock, Locks};
use dlock_testkit::cases::fresh_key;
use dlock_testkit::server::Server;
use std::error::Error as _;
use std::time::Instant;
use tokio::task::JoinSet;

/// No server, a wrong password, a URL that is none: an error that says so, without the password.
pub(crate) async fn refused<E: Flavour>() {
    let nowhere = OptsBuilder::default().tcp_port(1).pass(Some("secret"));
    let wrong = opts::<E>().user(Some("nobody")).pass(Some("secret"));
    for opts in [nowhere, wrong] {
        let locks = locks(opts.clone());
        let error = locks.lock("k").await.expect_err("no session");
        assert!(matches!(error, Error::NoSession { source: Some(_), .. }), "{error:?}");
        let source = error.source().expect("the driver's error").to_string();
        assert!(!format!("{error:?} {error} {source} {locks:?}").contains("secret"));
        let connected = Locks::builder(opts).connect().await;
        assert!(matches!(connected, Err(Error::NotConnected { source: Some(_) })));
    }
    for url in ["postgres://app:secret@db/app", "secret", "mysql://app:secret@db/app?x=1"] {
        let error = Locks::connect(url).await.expect_err("a wrong URL");
        assert!(!format!("{error:?} {error}").contains("secret"), "{error:?}");
    }
}

/// The user may have one connection: what needs a second is an error, and nothing is lost by that.
pub(crate) async fn one_connection<E: Flavour>() {
    let (key, mut observer) = (fresh_key("lone"), conn::<E>().await);
    let user = key.replace('-', "_");
    let user = &user[..user.len().min(30)];
    let create = format!("CREATE USER {user}@'%' WITH MAX_USER_CONNECTIONS 1");
    observer.query_drop(create).await.expect("a user");
    let locks = locks(opts::<E>().user(Some(user)).db_name(None::<String>));
    let held = locks.lock(format!("{key} held")).await.expect("a lock");
    let mut lock = Lock::new(conn::<E>().await, key.as_str()).expect("a key");
    assert!(lock.acquire(Wait::No).await.expect("an answer"));
    assert!(locks.try_lock(&key).await.expect("an answer").is_none());
    let error = locks.lock_within(&key, ms(1500)).await.expect_err("it is held");
    assert!(matches!(error, Error::NoSession { .. } | Error::TimedOut { .. }), "{error:?}");
    lock.release().await.expect("a release");
    locks.lock(&key).await.expect("a lock").release().await.expect("a release");
    assert!(!held.is_lost());
    held.release().await.expect("a release");
    locks.close().await;
    observer.query_drop(format!("DROP USER {user}@'%'")).await.expect("no user");
}

/// Statements of 100 ms at most, transactions that are read only, an idle time that is shorter than a ping:
/// none of that is for these sessions.
pub(crate) async fn limited<E: Flavour>() {
    let server = Server::<E>::start(&[]).expect("a server");
    let opts = || OptsBuilder::from_opts(Opts::from_url(server.url()).expect("a URL"));
    let mut conn = dlock_mysql::mysql_async::Conn::new(opts()).await.expect("a connection");
    let limit = if E::IS_MARIADB { "max_statement_time=0.1" } else { "max_execution_time=100" };
    let [one, other] = [locks(opts()), locks(opts())];
    for set in [limit, "sql_mode='ANSI,NO_BACKSLASH_ESCAPES'", "sql_select_limit=0", "autocommit=0"]
        .into_iter()
        .chain(["completion_type=2", "wait_timeout=1"])
        .chain(E::IS_MARIADB.then_some("idle_transaction_timeout=1"))
    {
        conn.query_drop(format!("SET GLOBAL {set}")).await.expect("a setting");
    }
    let held = one.lock("k").await.expect("a lock");
    let begun = Instant::now();
    assert!(matches!(other.lock_within("k", ms(2500)).await, Err(Error::TimedOut { .. })));
    assert!(begun.elapsed() >= ms(2500) && !held.is_lost());
    assert!(held.trusted_for().is_some_and(|it| it <= LEASE));
    held.release().await.expect("a release");
    other.lock("k").await.expect("a lock").release().await.expect("a release");
}

/// The server takes a kibibyte at a time.
pub(crate) async fn small_packets<E: Flavour>() {
    let server = Server::<E>::start(&[("max_allowed_packet", "1024")]).expect("a server");
    let opts = OptsBuilder::from_opts(Opts::from_url(server.url()).expect("a URL"));
    let (locks, mut tasks) = (locks(opts), JoinSet::new());
    for number in 0..100 {
        let (locks, key) = (locks.clone(), format!("{:語>64}", number));
        tasks.spawn(async move { locks.lock(key).await.expect("a lock") });
    }
    for held in tasks.join_all().await {
        held.release().await.expect("a release");
    }
    assert_eq!(locks.stats().await.expect("counts").sessions, 1);
}
