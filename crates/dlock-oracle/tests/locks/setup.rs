//! What has to be right first.

use crate::bench::Bench;
use dlock_locks::Error;
use dlock_oracle::Locks;
use oracle::Connector;
use std::error::Error as _;

fn whole(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}

pub(crate) async fn urls() {
    let bench = Bench::new("urls");
    let (user, password) = bench.place.credentials();
    let encoded: String = password.bytes().map(|byte| format!("%{byte:02x}")).collect();
    let database = &bench.place.database;
    let forms =
        [format!("oracle://{user}:{encoded}@{database}"), format!("{user}/{password}@{database}")];
    for url in forms {
        let locks = Locks::connect(&url).await.expect("a session");
        assert!(!format!("{locks:?}").contains(password));
        let held = locks.lock("urls k").await.expect("a lock");
        assert_eq!(bench.seen("urls k"), (1, 0));
        held.release().await.expect("a release");
        locks.close().await;
    }
    for url in ["", "oracle://scott:tiger@", "mysql://scott:tiger@localhost/x", "scott@tiger"] {
        let error = Locks::connect(url).await.expect_err("no URL");
        let text = whole(&error);
        assert!(text.contains("oracle://user:password@host"), "{text}");
        assert!(!text.contains("tiger") && !format!("{error:?}").contains("tiger"), "{error:?}");
    }
}

pub(crate) async fn wrong_password() {
    let bench = Bench::new("wrong password");
    let connector = Connector::new("scott", "wrong", &*bench.place.database);
    let error = Locks::builder(connector).connect().await.expect_err("no session");
    assert!(matches!(error, Error::NotConnected { source: Some(_) }), "{error:?}");
    let text = whole(&error);
    assert!(text.contains("ORA-01017") && !text.contains("wrong "), "{text}");
}

/// The session opens, and the first key tells.
pub(crate) async fn missing_grant() {
    let bench = Bench::new("missing grant");
    let connector = Connector::new("nogrant", "tiger", &*bench.place.database);
    let error = bench.locks_over(connector).lock("missing grant k").await.expect_err("no grant");
    assert!(whole(&error).contains("GRANT EXECUTE ON SYS.DBMS_LOCK TO"), "{}", whole(&error));
    assert!(error.source().is_some());
}

pub(crate) async fn standby() {
    let bench = Bench::new("standby");
    bench.run("alter system set \"_standin_role\" = 'PHYSICAL STANDBY'");
    let error = Locks::builder(bench.connector()).connect().await.expect_err("a standby");
    assert!(whole(&error).contains("connect to the primary"), "{}", whole(&error));
}
