//! Several locks over one connection: the second over the session that the first one's guard lends.

use crate::bed::{Flavour, MysqlBed, opts};
use crate::kind::Owned;
use dlock_core::Wait;
use dlock_mysql::mysql_async::Conn;
use dlock_mysql::{Error, Lock};
use dlock_testkit::bed::Bed;
use dlock_testkit::cases::{fresh_key, until_waiting};
use std::time::Duration;
use tokio::sync::Barrier;

/// The same key over the same session is refused, in every kind of wait, and afterwards it works.
pub(crate) async fn reentry<E: Flavour>() {
    let key = fresh_key("reentry");
    let mut lock = Lock::new(Conn::new(opts::<E>()).await.unwrap(), key.as_str()).unwrap();
    let mut guard = lock.lock().await.unwrap();
    for wait in [Wait::No, Wait::For(Duration::from_millis(200)), Wait::Forever] {
        let mut again = Lock::new(guard.session(), key.as_str()).unwrap();
        let answer = again.acquire(wait).await;
        assert!(matches!(answer, Err(Error::AlreadyHeld)), "{wait:?}: {answer:?}");
        assert!(!again.is_locked());
    }
    guard.release().await.unwrap();
    assert!(!again_held::<E>(&key).await, "one release frees it");
    let mut again = Lock::new(lock.session().unwrap(), key.as_str()).unwrap();
    again.lock().await.unwrap().release().await.unwrap();
}

async fn again_held<E: Flavour>(key: &str) -> bool {
    MysqlBed::<E, Owned>::new().await.holders(key).await > 0
}

/// Two sessions, two keys, crossed: the victim is told, keeps what it had, and the other goes on.
pub(crate) async fn deadlock<E: Flavour>() {
    let bed = MysqlBed::<E, Owned>::new().await;
    let (a, b) = (fresh_key("cross-a"), fresh_key("cross-b"));
    let both_hold = Barrier::new(2);
    let cross = async |mine: &str, other: &str, first: bool| {
        let mut outer = bed.lock(mine).await;
        let mut guard = outer.lock().await.unwrap();
        both_hold.wait().await;
        let mut inner = Lock::new(guard.session(), other).unwrap();
        until_waiting(&bed, mine, usize::from(!first)).await;
        let answer = inner.acquire(Wait::Forever).await;
        let held = bed.holders(mine).await;
        inner.close().await.unwrap();
        drop(inner);
        guard.release().await.unwrap();
        (answer, held)
    };
    let ((one, one_held), (two, two_held)) =
        tokio::join!(cross(&a, &b, true), cross(&b, &a, false));
    let victims = [&one, &two].map(|answer| matches!(answer, Err(Error::Deadlock(_))));
    assert!(victims[0] != victims[1], "{one:?}, {two:?}");
    assert!(one.is_ok() || two.is_ok(), "{one:?}, {two:?}");
    assert_eq!((one_held, two_held), (1, 1), "the victim keeps what it had");
}
