//! Sessions that are ended while a statement of the caller's runs: ended means that the server has let go.

use crate::drops::until_closed;
use crate::server::{Flavour, conn, holder, opts, until_free, until_sleeping};
use dlock_core::Wait;
use dlock_mysql::mysql_async::Conn;
use dlock_mysql::mysql_async::prelude::Queryable;
use dlock_mysql::{Error, Guard, Lock};
use dlock_testkit::cases::fresh_key;
use std::time::{Duration, Instant};

/// Begins to sleep on the guard's session, whose number on the server this is, and drops that.
pub(crate) async fn leave_a_statement(
    guard: &mut Guard<'_>,
    observer: &mut Conn,
    id: u32,
    seconds: u32,
) {
    let statement = format!("SELECT SLEEP({seconds})");
    tokio::select! {
        answer = guard.session().query_drop(statement) => panic!("{answer:?}"),
        () = until_sleeping(observer, id) => {}
    }
}

/// The same, where the number is the one that the driver knows.
async fn leave(guard: &mut Guard<'_>, observer: &mut Conn, seconds: u32) {
    let id = guard.session().id();
    leave_a_statement(guard, observer, id, seconds).await;
}

/// A user who may have one connection at a time.
async fn lone_user<E: Flavour>(observer: &mut Conn) -> Conn {
    let key = fresh_key("");
    let user = format!("lone{}", key.replace('-', "_"));
    let user = &user[..user.len().min(30)];
    let (create, limit) = (format!("CREATE USER {user}@'%'"), "WITH MAX_USER_CONNECTIONS 1");
    observer.query_drop(format!("{create} {limit}")).await.unwrap();
    Conn::new(opts::<E>().user(Some(user)).db_name(None::<String>)).await.unwrap()
}

/// A job whose time is over: its statement is ended with it, and then the key is free.
pub(crate) async fn aborted<E: Flavour>() {
    let (key, mut observer) = (fresh_key("aborted"), conn::<E>().await);
    for runs in [true, false] {
        let mut lock = Lock::new(conn::<E>().await, key.as_str()).unwrap();
        let mut guard = lock.lock().await.unwrap();
        if runs {
            leave(&mut guard, &mut observer, 60).await;
        }
        let start = Instant::now();
        guard.abort().await.unwrap();
        assert_eq!(holder(&mut observer, &key).await, None);
        assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
        assert!(matches!(lock.acquire(Wait::No).await, Err(Error::Closed)));
        lock.close().await.unwrap();
        let lock = Lock::new(conn::<E>().await, key.as_str()).unwrap();
        lock.lock_owned().await.unwrap().abort().await.unwrap();
        assert_eq!(holder(&mut observer, &key).await, None);
    }
}

/// A guard that is dropped while the caller's statement runs: `close` says `Ok` when the key is free.
pub(crate) async fn dropped<E: Flavour>() {
    let (key, mut observer) = (fresh_key("dropped"), conn::<E>().await);
    let mut lock = Lock::new(conn::<E>().await, key.as_str()).unwrap();
    let mut guard = lock.lock().await.unwrap();
    leave(&mut guard, &mut observer, 60).await;
    drop(guard);
    lock.close().await.unwrap();
    assert_eq!(holder(&mut observer, &key).await, None);
    let mut lock = Lock::new(conn::<E>().await, key.as_str()).unwrap();
    let scope =
        lock.with(Wait::Forever, async |session| session.query_drop("SELECT SLEEP(60)").await);
    assert!(tokio::time::timeout(Duration::from_millis(200), scope).await.is_err());
    drop(lock);
    assert!(until_free(&mut observer, &key).await < Duration::from_secs(2));
}

/// A release after a dropped statement of the caller's frees the key, by the end of the session: lent or
/// owned, it was not lost.
pub(crate) async fn released<E: Flavour>() {
    let (key, mut observer) = (fresh_key("released"), conn::<E>().await);
    let mut lock = Lock::new(conn::<E>().await, key.as_str()).unwrap();
    let mut guard = lock.lock().await.unwrap();
    leave(&mut guard, &mut observer, 60).await;
    guard.release().await.unwrap();
    assert_eq!(holder(&mut observer, &key).await, None);
    assert!(matches!(lock.acquire(Wait::No).await, Err(Error::Closed)));
    let mut lent = conn::<E>().await;
    let mut lock = Lock::new(&mut lent, key.as_str()).unwrap();
    let mut guard = lock.lock().await.unwrap();
    let left = guard.session().query_drop("SELECT SLEEP(60)");
    assert!(tokio::time::timeout(Duration::from_millis(200), left).await.is_err());
    guard.release().await.unwrap();
    assert_eq!(holder(&mut observer, &key).await, None);
}

/// What was lost before is told: another may have held the key since.
pub(crate) async fn lost<E: Flavour>() {
    let (key, mut observer) = (fresh_key("lost"), conn::<E>().await);
    let mut lock = Lock::new(conn::<E>().await, key.as_str()).unwrap();
    let mut guard = lock.lock().await.unwrap();
    let id = guard.session().id();
    leave(&mut guard, &mut observer, 60).await;
    observer.query_drop(format!("KILL {id}")).await.unwrap();
    until_free(&mut observer, &key).await;
    let mut other = Lock::new(conn::<E>().await, key.as_str()).unwrap();
    assert!(other.acquire(Wait::No).await.unwrap());
    let answer = guard.release().await;
    assert!(matches!(answer, Err(Error::Lost(_))), "{answer:?}");
    other.release().await.unwrap();
}

/// Where there can be no second connection nothing is said to be free that is not.
pub(crate) async fn without_a_second_connection<E: Flavour>() {
    let (key, mut observer) = (fresh_key("lone"), conn::<E>().await);
    let mut lock = Lock::new(lone_user::<E>(&mut observer).await, key.as_str()).unwrap();
    let mut guard = lock.lock().await.unwrap();
    leave(&mut guard, &mut observer, 3).await;
    let answer = guard.release().await;
    assert!(matches!(answer, Err(Error::Interrupted(Some(_)))), "{answer:?}");
    assert!(lock.is_locked() && holder(&mut observer, &key).await.is_some());
    let answer = lock.close().await;
    assert!(matches!(answer, Err(Error::Interrupted(Some(_)))), "{answer:?}");
    let id = holder(&mut observer, &key).await.unwrap();
    observer.query_drop(format!("KILL QUERY {id}")).await.unwrap();
    drop(lock);
    until_free(&mut observer, &key).await;

    let mut lock = Lock::new(lone_user::<E>(&mut observer).await, key.as_str()).unwrap();
    let mut guard = lock.lock().await.unwrap();
    leave(&mut guard, &mut observer, 3).await;
    let answer = guard.abort().await;
    assert!(matches!(answer, Err(Error::Interrupted(Some(_)))), "{answer:?}");
    assert!(!lock.is_locked());
    until_closed(&mut lock).await;
    assert_eq!(holder(&mut observer, &key).await, None);
}

/// Nor does a dropped wait stay behind there.
pub(crate) async fn lone_wait<E: Flavour>() {
    use crate::lent::RESTS;
    use crate::server::{until_awaited, waiter};
    let mut observer = conn::<E>().await;
    for rest in RESTS {
        let key = fresh_key("lone-wait");
        let mut holding = Lock::new(conn::<E>().await, key.as_str()).unwrap();
        assert!(holding.acquire(Wait::No).await.unwrap());
        let mut session = lone_user::<E>(&mut observer).await;
        rest.leave(&mut session).await;
        let mut lock = Lock::new(session, key.as_str()).unwrap();
        tokio::select! {
            answer = lock.acquire(Wait::Forever) => panic!("{answer:?}"),
            _ = until_awaited(&mut observer, &key) => {}
        }
        let start = Instant::now();
        until_closed(&mut lock).await;
        assert_eq!(waiter(&mut observer, &key).await, None, "{rest:?}");
        assert!(start.elapsed() < Duration::from_secs(5), "{rest:?}: {:?}", start.elapsed());
        holding.release().await.unwrap();
    }
}
