//! What a dropped wait or guard leaves behind on a connection that was lent.

use crate::server::{Flavour, conn, number, opts, until_awaited, until_free, waiter};
use dlock_core::Wait;
use dlock_mysql::mysql_async::prelude::Queryable;
use dlock_mysql::mysql_async::{Conn, Pool, PoolOpts, TxOpts};
use dlock_mysql::{Error, Lock};
use dlock_testkit::cases::fresh_key;
use dlock_testkit::polled::polled;
use std::time::{Duration, Instant};

/// A dropped guard frees the key, and the connection may not be used any more.
pub(crate) async fn guard<E: Flavour>() {
    let (key, mut observer, mut lent) = (fresh_key("lent"), conn::<E>().await, conn::<E>().await);
    let mut lock = Lock::new(&mut lent, key.as_str()).unwrap();
    drop(lock.lock().await.unwrap());
    assert!(matches!(lock.acquire(Wait::No).await, Err(Error::Closed)));
    assert!(lock.session().is_none());
    lock.close().await.unwrap();
    drop(lock);
    assert!(until_free(&mut observer, &key).await < Duration::from_secs(1));
    // Unless the answer was there as soon as the release was sent.
    let spoiled = lent.is_disconnected();
    let answer = Lock::new(&mut lent, key.as_str()).unwrap().acquire(Wait::No).await;
    assert_eq!(matches!(answer, Err(Error::Closed)), spoiled, "{answer:?}");
    assert_eq!(matches!(answer, Ok(true)), !spoiled, "{answer:?}");
}

/// What the driver still has to do on a connection.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Rest {
    Nothing,
    Rollback,
    Result,
}

pub(crate) const RESTS: [Rest; 3] = [Rest::Nothing, Rest::Rollback, Rest::Result];

impl Rest {
    pub(crate) async fn leave(self, conn: &mut Conn) {
        match self {
            Rest::Nothing => {}
            Rest::Rollback => drop(conn.start_transaction(TxOpts::new()).await.unwrap()),
            Rest::Result => {
                drop(conn.query_iter("SELECT 1 UNION SELECT 2; SELECT 3").await.unwrap());
            }
        }
    }
}

/// After a dropped wait a new lock is refused, and the waiter goes with the connection while the holder
/// keeps the key: also where the driver had something of its own to do first.
pub(crate) async fn wait<E: Flavour>() {
    for rest in RESTS {
        let (key, mut observer) = (fresh_key("lent"), conn::<E>().await);
        let mut lent = conn::<E>().await;
        rest.leave(&mut lent).await;
        let mut holding = Lock::new(conn::<E>().await, key.as_str()).unwrap();
        assert!(holding.acquire(Wait::No).await.unwrap());
        let mut lock = Lock::new(&mut lent, key.as_str()).unwrap();
        tokio::select! {
            answer = lock.acquire(Wait::Forever) => panic!("{answer:?}"),
            _ = until_awaited(&mut observer, &key) => {}
        }
        assert!(matches!(lock.acquire(Wait::No).await, Err(Error::Closed)));
        drop(lock);
        let mut again = Lock::new(&mut lent, "another key").unwrap();
        assert!(matches!(again.acquire(Wait::No).await, Err(Error::Closed)), "{rest:?}");
        drop(again);
        drop(lent);
        let start = Instant::now();
        while waiter(&mut observer, &key).await.is_some() {
            assert!(start.elapsed() < Duration::from_secs(2), "{rest:?}: still waiting");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        holding.release().await.unwrap();
    }
}

/// Acquire and release dropped after every number of polls, the key free and held elsewhere: nothing
/// is left once the owner has dropped the connection.
pub(crate) async fn every_poll<E: Flavour>() {
    let (key, mut observer) = (fresh_key("lent"), conn::<E>().await);
    for held in [false, true] {
        let mut holding = Lock::new(conn::<E>().await, key.as_str()).unwrap();
        for polls in 1..100 {
            assert!(!held || holding.acquire(Wait::No).await.unwrap());
            let done = dropped_after::<E>(&key, polls).await;
            holding.close().await.unwrap();
            assert!(
                until_free(&mut observer, &key).await < Duration::from_secs(2),
                "{polls} polls"
            );
            if done {
                break;
            }
            assert!(polls < 99, "it never completes");
        }
    }
}

/// Whether a pair over a connection of its own was done after so many polls.
async fn dropped_after<E: Flavour>(key: &str, polls: usize) -> bool {
    let mut lent = conn::<E>().await;
    let mut lock = Lock::new(&mut lent, key).unwrap();
    let pair = async {
        if lock.acquire(Duration::from_millis(30)).await.unwrap() {
            lock.release().await.unwrap();
        }
    };
    polled(pair, polls).await.is_some()
}

/// A pool that resets nothing gets no connection back that holds the key or is out of step.
pub(crate) async fn pooled_guard<E: Flavour>() {
    let (key, mut observer) = (fresh_key("lent"), conn::<E>().await);
    let keep = PoolOpts::new().with_reset_connection(false);
    let pool = Pool::new(opts::<E>().pool_opts(keep));
    let mut lent = pool.get_conn().await.unwrap();
    let id = lent.id();
    drop(Lock::new(&mut lent, key.as_str()).unwrap().lock().await.unwrap());
    drop(lent);
    assert!(until_free(&mut observer, &key).await < Duration::from_secs(1));
    let mut next = pool.get_conn().await.unwrap();
    assert!(next.id() != id || number(&mut next, "SELECT 7").await == Some(7));
    drop(next);
    pool.disconnect().await.unwrap();
}
