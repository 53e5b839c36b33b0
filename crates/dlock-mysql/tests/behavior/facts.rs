//! What the two servers do differently, in plain SQL.

use crate::server::{Flavour, code, conn, holder, number, until_awaited};
use dlock_mysql::mysql_async::prelude::Queryable;
use dlock_mysql::mysql_async::{Conn, Error};
use dlock_testkit::cases::fresh_key;
use std::time::{Duration, Instant};

/// A negative time-out waits on MySQL and is NULL on MariaDB; fractions are rounded by MySQL; only
/// MySQL heeds the hint, only MariaDB the comment.
pub(crate) async fn waits<E: Flavour>() {
    let (key, mut holding, mut asking) = (fresh_key("fact"), conn::<E>().await, conn::<E>().await);
    let free = number(&mut holding, &format!("SELECT GET_LOCK('{key}',-1)")).await;
    assert_eq!(free, if E::IS_MARIADB { None } else { Some(1) });
    assert_eq!(number(&mut holding, &format!("SELECT GET_LOCK('{key}',0)")).await, Some(1));

    let start = Instant::now();
    assert_eq!(number(&mut asking, &format!("SELECT GET_LOCK('{key}',0.3)")).await, Some(0));
    assert_eq!(start.elapsed() >= Duration::from_millis(300), E::IS_MARIADB);

    let hinted = format!("SELECT /*+ MAX_EXECUTION_TIME(100) */ GET_LOCK('{key}',1)");
    if E::IS_MARIADB {
        assert_eq!(number(&mut asking, &hinted).await, Some(0));
    } else {
        assert_eq!(code(&mut asking, &hinted).await, 3024);
    }
    let flavour = number(&mut asking, "SELECT 1/*M!100101 +1*/").await;
    assert_eq!(flavour, Some(1 + i64::from(E::IS_MARIADB)));
}

/// MySQL folds case, refuses what is empty, too long or beyond three bytes; MariaDB compares bytes.
pub(crate) async fn names<E: Flavour>() {
    let mut one = conn::<E>().await;
    let get = |name: &str| format!("SELECT GET_LOCK('{name}',0)");
    let (upper, lower) = (fresh_key("FOLD-É"), fresh_key("other"));
    assert_eq!(number(&mut one, &get(&upper)).await, Some(1));
    let folded = holder(&mut one, &upper.to_lowercase()).await;
    assert_eq!(folded.is_none(), E::IS_MARIADB);
    let unaccented = holder(&mut one, &upper.replace('É', "E")).await;
    assert_eq!(unaccented, None, "accents count on both");
    assert_eq!(holder(&mut one, &lower).await, None);

    if E::IS_MARIADB {
        assert_eq!(number(&mut one, &get("")).await, None);
        assert_eq!(number(&mut one, &get("🔒")).await, Some(1));
        assert_eq!(number(&mut one, &get(&"語".repeat(64))).await, Some(1));
        assert_eq!(code(&mut one, &get(&"x".repeat(193))).await, 1059);
    } else {
        assert_eq!(code(&mut one, &get("")).await, 3057);
        assert_eq!(code(&mut one, &get("🔒")).await, 3057);
        assert_eq!(number(&mut one, &get(&"語".repeat(64))).await, Some(1));
        assert_eq!(code(&mut one, &get(&"x".repeat(65))).await, 4163);
    }
}

/// RELEASE_LOCK: 1 released, 0 another's, NULL nobody's. Locks are counted, and IS_USED_LOCK tells.
pub(crate) async fn releases<E: Flavour>() {
    let (key, mut one, mut other) = (fresh_key("release"), conn::<E>().await, conn::<E>().await);
    let (get, release) =
        (format!("SELECT GET_LOCK('{key}',0)"), format!("SELECT RELEASE_LOCK('{key}')"));
    assert_eq!(number(&mut one, &release).await, None);
    assert_eq!(number(&mut one, &get).await, Some(1));
    assert_eq!(number(&mut one, &get).await, Some(1), "it re-enters by itself");
    assert_eq!(number(&mut other, &release).await, Some(0));
    let refused =
        format!("SELECT IF(IS_USED_LOCK('{key}')=CONNECTION_ID(),-1,GET_LOCK('{key}',0))");
    assert_eq!(number(&mut one, &refused).await, Some(-1));
    assert_eq!(number(&mut other, &refused).await, Some(0));
    assert_eq!(number(&mut one, &release).await, Some(1));
    assert_eq!(number(&mut other, &get).await, Some(0), "taken twice, released once");
    assert_eq!(number(&mut one, &release).await, Some(1));
    assert_eq!(number(&mut other, &refused).await, Some(1));
}

/// KILL QUERY of a waiter: error 1317 on MySQL, a NULL on MariaDB; the connection lives on.
pub(crate) async fn kill<E: Flavour>() {
    let (key, mut holding, mut asking) = (fresh_key("kill"), conn::<E>().await, conn::<E>().await);
    assert_eq!(number(&mut holding, &format!("SELECT GET_LOCK('{key}',0)")).await, Some(1));
    let wait = format!("SELECT GET_LOCK('{key}',20)");
    let waiting = tokio::spawn(async move {
        let answer: Result<Option<Option<i64>>, Error> = asking.query_first(wait).await;
        (asking, answer)
    });
    let id = until_awaited(&mut holding, &key).await;
    holding.query_drop(format!("KILL QUERY {id}")).await.unwrap();
    let (mut asking, answer) = waiting.await.unwrap();
    match answer {
        Ok(Some(None)) => assert!(E::IS_MARIADB),
        Err(Error::Server(error)) => assert!(!E::IS_MARIADB && error.code == 1317),
        other => panic!("{other:?}"),
    }
    assert_eq!(number(&mut asking, "SELECT 7").await, Some(7));
}

/// A cycle is told at once: 3058 by MySQL, 1213 by MariaDB.
pub(crate) async fn deadlock<E: Flavour>() {
    let (a, b) = (fresh_key("cycle-a"), fresh_key("cycle-b"));
    let (mut one, mut other) = (conn::<E>().await, conn::<E>().await);
    assert_eq!(number(&mut one, &format!("SELECT GET_LOCK('{a}',0)")).await, Some(1));
    assert_eq!(number(&mut other, &format!("SELECT GET_LOCK('{b}',0)")).await, Some(1));
    let wait = format!("SELECT GET_LOCK('{b}',20)");
    let waiting = tokio::spawn(async move {
        let answer: Option<Option<i64>> = one.query_first(wait).await.unwrap();
        (one, answer)
    });
    until_awaited(&mut conn::<E>().await, &b).await;
    let start = Instant::now();
    let said = code(&mut other, &format!("SELECT GET_LOCK('{a}',20)")).await;
    assert_eq!(said, if E::IS_MARIADB { 1213 } else { 3058 });
    assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
    assert_eq!(holder(&mut other, &b).await, Some(other.id().into()), "the victim keeps its own");
    drop(other);
    assert_eq!(waiting.await.unwrap().1, Some(Some(1)));
}

/// COMMIT, ROLLBACK and DDL free nothing; a reset and the connection's end do.
pub(crate) async fn what_frees<E: Flavour>() {
    let (key, mut one, mut observer) = (fresh_key("frees"), conn::<E>().await, conn::<E>().await);
    let get = format!("SELECT GET_LOCK('{key}',0)");
    assert_eq!(number(&mut one, &get).await, Some(1));
    for statement in ["BEGIN", "COMMIT", "BEGIN", "ROLLBACK", "CREATE TEMPORARY TABLE t (n INT)"] {
        one.query_drop(statement).await.unwrap();
        assert!(holder(&mut observer, &key).await.is_some(), "{statement}");
    }
    assert!(one.reset().await.unwrap());
    assert_eq!(holder(&mut observer, &key).await, None);
    assert_eq!(number(&mut one, &get).await, Some(1));
    drop::<Conn>(one);
    crate::server::until_free(&mut observer, &key).await;
}
