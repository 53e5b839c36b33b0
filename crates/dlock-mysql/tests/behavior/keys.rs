//! Names as the servers see them.

use crate::server::{Flavour, conn, opts};
use dlock_core::Wait;
use dlock_mysql::mysql_async::Conn;
use dlock_mysql::mysql_async::prelude::Queryable;
use dlock_mysql::{Key, Lock};
use dlock_testkit::cases::fresh_key;
use dlock_testkit::names::fit_names;

/// Who holds the name, given as a bound value.
async fn held(observer: &mut Conn, name: &str) -> Option<u32> {
    let row: Option<Option<u32>> =
        observer.exec_first("SELECT IS_USED_LOCK(?)", (name,)).await.unwrap();
    row.unwrap()
}

/// Holds the key for a moment; `name` is what others call it.
async fn hold(lock: &mut Lock, observer: &mut Conn, name: &str) {
    let id = lock.session().unwrap().id();
    assert!(lock.acquire(Wait::No).await.unwrap(), "{name:?}");
    assert_eq!(held(observer, name).await, Some(id), "{name:?}");
    lock.release().await.unwrap();
    assert_eq!(held(observer, name).await, None, "{name:?}");
}

/// Every character of one byte, many of two and three, and hostile text are only ever a name.
pub(crate) async fn every_byte<E: Flavour>() {
    let (mut observer, mut session) = (conn::<E>().await, conn::<E>().await);
    let hostile = ["'; DROP TABLE t; --", "\\", "\\'", "%s", "?", ":a", "*/", "/*!1*/", " x ", "`"];
    let singles = ('\u{1}'..='\u{2ff}').chain(['語', '\u{ffff}', '€']).map(|c| format!("<{c}>"));
    for name in singles.chain(hostile.map(str::to_owned)) {
        let mut lock = Lock::new(session, name.as_str()).unwrap();
        hold(&mut lock, &mut observer, &name).await;
        session = lock.into_session().await.unwrap();
    }
}

/// Random names, of every length and of any characters that fit, are only ever a name.
pub(crate) async fn random<E: Flavour>() {
    let (mut observer, mut session) = (conn::<E>().await, conn::<E>().await);
    for name in fit_names(64, 300, |name| Key::try_from(name).is_ok()) {
        let mut lock = Lock::new(session, name.as_str()).unwrap();
        hold(&mut lock, &mut observer, &name).await;
        session = lock.into_session().await.unwrap();
    }
}

/// At the limit of length, in characters and in bytes; and what a digest makes of more.
pub(crate) async fn limits<E: Flavour>() {
    let mut observer = conn::<E>().await;
    for name in ["x".repeat(64), "é".repeat(64), "語".repeat(64), "-9223372036854775808".to_owned()]
    {
        let mut lock = Lock::new(conn::<E>().await, name.as_str()).unwrap();
        hold(&mut lock, &mut observer, &name).await;
        assert!(Lock::new(conn::<E>().await, "x".repeat(65)).is_err());
    }
    let mut lock = Lock::new(conn::<E>().await, Key::hashed(&"🔒".repeat(99))).unwrap();
    let name = lock.key().to_string();
    hold(&mut lock, &mut observer, &name).await;
    let mut lock = Lock::new(conn::<E>().await, i64::MIN).unwrap();
    hold(&mut lock, &mut observer, "-9223372036854775808").await;
}

/// Names that differ by case are one lock on MySQL and two on MariaDB; their digests are two on both.
pub(crate) async fn case<E: Flavour>() {
    let (upper, lower) = (fresh_key("CASE-É"), fresh_key("nothing"));
    let mut one = Lock::new(conn::<E>().await, upper.as_str()).unwrap();
    let mut other = Lock::new(conn::<E>().await, upper.to_lowercase()).unwrap();
    assert!(one.acquire(Wait::No).await.unwrap());
    assert_eq!(other.acquire(Wait::No).await.unwrap(), E::IS_MARIADB);
    let mut one = Lock::new(conn::<E>().await, Key::hashed(&upper)).unwrap();
    let mut other = Lock::new(conn::<E>().await, Key::hashed(&upper.to_lowercase())).unwrap();
    let mut third = Lock::new(conn::<E>().await, Key::hashed(&lower)).unwrap();
    assert!(one.acquire(Wait::No).await.unwrap());
    assert!(other.acquire(Wait::No).await.unwrap());
    assert!(third.acquire(Wait::No).await.unwrap());
}

/// The session's SQL mode and character set do not change what a name is.
pub(crate) async fn sql_modes<E: Flavour>() {
    let mut observer = conn::<E>().await;
    for statement in
        ["SET sql_mode='NO_BACKSLASH_ESCAPES'", "SET sql_mode='ANSI'", "SET NAMES latin1"]
    {
        let session = Conn::new(opts::<E>().init(vec![statement])).await.unwrap();
        let name = fresh_key("\\'\"é");
        let mut lock = Lock::new(session, name.as_str()).unwrap();
        hold(&mut lock, &mut observer, &name).await;
    }
}
