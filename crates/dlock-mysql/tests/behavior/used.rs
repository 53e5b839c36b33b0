//! What a lock says that has been used, and what makes it say all again.

use crate::processes::processes;
use crate::server::{Flavour, conn, until_awaited};
use dlock_core::Wait;
use dlock_mysql::mysql_async::Conn;
use dlock_mysql::mysql_async::prelude::Queryable;
use dlock_mysql::{Error, Lock};
use dlock_testkit::cases::fresh_key;
use futures::future::join;
use std::time::Duration;

/// Limits the session's statements to 200 ms.
pub(crate) async fn hurry<E: Flavour>(session: &mut Conn) {
    let limit = match E::IS_MARIADB {
        true => "SET SESSION max_statement_time=0.2",
        false => "SET SESSION max_execution_time=200",
    };
    session.query_drop(limit).await.unwrap();
}

/// A lock that was acquired and released twice.
async fn used<E: Flavour>(key: &str) -> Lock {
    let mut lock = Lock::new(conn::<E>().await, key).unwrap();
    use_twice(&mut lock).await;
    lock
}

pub(crate) async fn use_twice(lock: &mut Lock) {
    for _ in 0..2 {
        assert!(lock.acquire(Wait::No).await.unwrap());
        lock.release().await.unwrap();
    }
}

/// The statement by which this lock waits for its key.
async fn statement<E: Flavour>(lock: &mut Lock, key: &str) -> String {
    let (mut observer, mut holding) =
        (conn::<E>().await, Lock::new(conn::<E>().await, key).unwrap());
    assert!(holding.acquire(Wait::No).await.unwrap());
    let look = async {
        let id = until_awaited(&mut observer, key).await;
        let processes = processes(&mut observer).await.unwrap();
        let text = processes.into_iter().find(|it| it.id == id).map(|it| it.statement);
        holding.release().await.unwrap();
        text.unwrap()
    };
    let (granted, text) = join(lock.acquire(Wait::Forever), look).await;
    assert!(granted.unwrap());
    lock.release().await.unwrap();
    text
}

/// Nothing stands in a wait but what it needs, whether the caller has had the session or not.
pub(crate) async fn says_less<E: Flavour>() {
    let key = fresh_key("less");
    let mut lock = used::<E>(&key).await;
    for _ in 0..2 {
        let text = statement::<E>(&mut lock, &key).await;
        assert!(text.contains("GET_LOCK") && !text.contains("IS_USED_LOCK"), "{text}");
        assert_eq!(text.contains("MAX_EXECUTION_TIME"), !E::IS_MARIADB, "{text}");
        lock.session().unwrap();
    }
}

/// A session with a limit on statements has it lifted in each wait.
pub(crate) async fn limited_session<E: Flavour>() {
    let key = fresh_key("limited");
    let mut session = conn::<E>().await;
    hurry::<E>(&mut session).await;
    let mut lock = Lock::new(session, key.as_str()).unwrap();
    for _ in 0..4 {
        outlasts::<E>(&mut lock, &key).await;
    }
}

/// So does one that the caller has limited since.
pub(crate) async fn limited_by_hand<E: Flavour>() {
    let key = fresh_key("hurry");
    let mut lock = used::<E>(&key).await;
    outlasts::<E>(&mut lock, &key).await;
    hurry::<E>(lock.session().unwrap()).await;
    outlasts::<E>(&mut lock, &key).await;
    let mut lock = used::<E>(&key).await;
    let mut guard = lock.lock().await.unwrap();
    hurry::<E>(guard.session()).await;
    guard.release().await.unwrap();
    outlasts::<E>(&mut lock, &key).await;
}

/// A wait of a second and a half that the limit of 200 ms does not end.
pub(crate) async fn outlasts<E: Flavour>(lock: &mut Lock, key: &str) {
    let mut holding = Lock::new(conn::<E>().await, key).unwrap();
    assert!(holding.acquire(Wait::No).await.unwrap());
    let release = async {
        tokio::time::sleep(Duration::from_millis(400)).await;
        holding.release().await.unwrap();
    };
    let (granted, ()) = join(lock.acquire(Duration::from_millis(1_500)), release).await;
    assert!(granted.unwrap());
    lock.release().await.unwrap();
}

/// A key that the caller takes by hand is refused, however often the lock was used before.
pub(crate) async fn taken_by_hand<E: Flavour>() {
    let key = fresh_key("taken");
    let mut lock = used::<E>(&key).await;
    let by_hand = format!("DO GET_LOCK('{key}', 0)");
    lock.session().unwrap().query_drop(&by_hand).await.unwrap();
    assert!(matches!(lock.acquire(Wait::No).await, Err(Error::AlreadyHeld)));
    let session = lock.session().unwrap();
    session.query_drop(format!("DO RELEASE_LOCK('{key}')")).await.unwrap();
    use_twice(&mut lock).await;
    let mut guard = lock.lock().await.unwrap();
    guard.session().query_drop(&by_hand).await.unwrap();
    guard.release().await.unwrap();
    assert!(matches!(lock.acquire(Wait::No).await, Err(Error::AlreadyHeld)));
}

/// A key that was lost is told, however often the lock was used before, and the lock goes on.
pub(crate) async fn lost<E: Flavour>() {
    let key = fresh_key("lost");
    for uses in 0..4 {
        let mut lock = Lock::new(conn::<E>().await, key.as_str()).unwrap();
        for _ in 0..uses {
            lock.lock().await.unwrap().release().await.unwrap();
        }
        let mut guard = lock.lock().await.unwrap();
        guard.session().query_drop("DO RELEASE_ALL_LOCKS()").await.unwrap();
        let answer = guard.release().await;
        assert!(matches!(answer, Err(Error::Lost(None))), "after {uses} uses: {answer:?}");
        use_twice(&mut lock).await;
    }
}

/// A lock that has been used and a new one mean the same key, whatever is in its name.
pub(crate) async fn names<E: Flavour>() {
    for name in ["a'b\\\"\n", "100%_", "Größe", "ключ", "錠"] {
        let key = fresh_key(name);
        let mut used = used::<E>(&key).await;
        let mut session = conn::<E>().await;
        session.query_drop("SET NAMES latin1").await.unwrap();
        let mut new = Lock::new(session, key.as_str()).unwrap();
        assert!(used.acquire(Wait::No).await.unwrap(), "{name:?}");
        assert!(!new.acquire(Wait::No).await.unwrap(), "{name:?}");
        used.release().await.unwrap();
        assert!(new.acquire(Wait::No).await.unwrap(), "{name:?}");
        assert!(!used.acquire(Wait::No).await.unwrap(), "{name:?}");
        new.release().await.unwrap();
    }
}

/// The late error of a statement of the caller's is not taken for a time-out.
pub(crate) async fn late_error<E: Flavour>() {
    let mut session = conn::<E>().await;
    hurry::<E>(&mut session).await;
    let mut lock = Lock::new(session, fresh_key("late")).unwrap();
    for wait in [Wait::No, Wait::For(Duration::from_secs(30))] {
        let many = "information_schema.COLLATIONS";
        let slow = format!("SELECT 1; SELECT COUNT(*) FROM {many} a, {many} b, {many} c, {many} d");
        drop(lock.session().unwrap().query_iter(slow).await.unwrap());
        let answer = lock.acquire(wait).await;
        assert!(answer.is_err(), "{answer:?}");
    }
}
