//! Objects of pools that reset nothing: given back clean, or ended.

use crate::eye::{Eye, config, fail, holder, pid, show};
use dlock_core::{ByMut, Wait};
use dlock_postgres::{AsSession, HasClient, Lock};
use std::ops::AsyncFn;
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;
use tokio_postgres::{Client, Config, NoTls};

const SECOND: Duration = Duration::from_secs(1);

/// One connection, which is handed on as it is.
#[cfg(feature = "deadpool")]
pub(crate) fn deadpool(config: &Config) -> deadpool_postgres::Pool {
    let manager = deadpool_postgres::Manager::new(config.clone(), NoTls);
    deadpool_postgres::Pool::builder(manager).max_size(1).build().expect("a pool")
}

#[cfg(feature = "bb8")]
pub(crate) type Bb8 = bb8::Pool<bb8_postgres::PostgresConnectionManager<NoTls>>;

/// The same, which looks at nothing when it hands it on.
#[cfg(feature = "bb8")]
pub(crate) async fn bb8(config: &Config) -> Bb8 {
    let manager = bb8_postgres::PostgresConnectionManager::new(config.clone(), NoTls);
    bb8::Pool::builder().max_size(1).test_on_check_out(false).build(manager).await.expect("a pool")
}

/// What the next user gets: the same connection or a new one, with nothing held or under way.
async fn is_clean(client: &Client, eye: &Eye, key: &str, seen: (i64, i64)) {
    let answer = timeout(SECOND * 2, client.simple_query("SELECT 5")).await.expect("an answer");
    if let Err(error) = answer {
        assert!(client.is_closed() || error.is_closed(), "ended, not in between: {error:?}");
    } else {
        assert_eq!(show(client, "SELECT now() = statement_timestamp()").await, "t");
        assert_eq!(show(client, "SELECT 6").await, "6");
    }
    eye.until(key, seen).await;
}

async fn objects<O>(get: impl AsyncFn() -> O, key: &str)
where
    O: AsSession<Lend = ByMut> + HasClient,
{
    let eye = Eye::open().await;
    let first = pid(HasClient::client(&get().await)).await;
    // A guard, in peace and in a failed transaction; the connection is worth keeping.
    for fails in [false, true] {
        let mut guard = Lock::new(get().await, key).unwrap().lock_owned().await.unwrap();
        if fails {
            fail(guard.session()).await;
        }
        drop(guard);
        let next = timeout(SECOND, get()).await.expect("it is given back");
        assert_eq!(eye.sees(key).await, (0, 0));
        is_clean(HasClient::client(&next), &eye, key, (0, 0)).await;
        assert_eq!(pid(HasClient::client(&next)).await, first);
    }
    // A wait, dropped while it is in the queue.
    let mut other = holder(key).await;
    let mut lock = Lock::new(get().await, key).unwrap();
    tokio::select! {
        answer = lock.lock() => panic!("{answer:?}"),
        () = eye.until(key, (1, 1)) => {}
    }
    drop(lock);
    let next = timeout(SECOND * 2, get()).await.expect("it is given back");
    is_clean(HasClient::client(&next), &eye, key, (1, 0)).await;
    drop(next);
    other.release().await.unwrap();
    // Taken back by hand.
    let mut lock = Lock::new(get().await, key).unwrap();
    assert!(lock.acquire(Wait::No).await.unwrap());
    let object = lock.into_session().await.unwrap();
    is_clean(HasClient::client(&object), &eye, key, (0, 0)).await;
}

fn runtime() -> Runtime {
    Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
}

/// The runtime of the lock ends before its guard is dropped; the pool's goes on.
fn after_the_runtime<O>(main: &Runtime, get: impl AsyncFn() -> O, key: &str)
where
    O: AsSession<Lend = ByMut> + HasClient,
{
    let eye = main.block_on(Eye::open());
    for fails in [false, true] {
        let short = runtime();
        let object = main.block_on(get());
        let guard = short.block_on(async {
            let mut guard = Lock::new(object, key).unwrap().lock_owned().await.unwrap();
            if fails {
                fail(guard.session()).await;
            }
            guard
        });
        drop(short);
        // Some pools want a runtime for what they are given back.
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let _enter = (!fails).then(|| main.enter());
                drop(guard);
            });
        });
        main.block_on(async {
            eye.until(key, (0, 0)).await;
            let next = timeout(SECOND * 2, get()).await.expect("a connection");
            is_clean(HasClient::client(&next), &eye, key, (0, 0)).await;
        });
    }
}

#[cfg(feature = "deadpool")]
#[tokio::test]
async fn of_deadpool() {
    let pool = deadpool(&config());
    objects(async || pool.get().await.unwrap(), "pools-deadpool").await;
}

#[cfg(feature = "deadpool")]
#[test]
fn of_deadpool_after_the_runtime() {
    let main = runtime();
    let pool = deadpool(&config());
    after_the_runtime(&main, async || pool.get().await.unwrap(), "pools-deadpool-ended");
}

#[cfg(feature = "bb8")]
#[tokio::test]
async fn of_bb8() {
    let pool = bb8(&config()).await;
    objects(async || pool.get_owned().await.unwrap(), "pools-bb8").await;
}

#[cfg(feature = "bb8")]
#[test]
fn of_bb8_after_the_runtime() {
    let main = runtime();
    let pool = main.block_on(bb8(&config()));
    after_the_runtime(&main, async || pool.get_owned().await.unwrap(), "pools-bb8-ended");
}
