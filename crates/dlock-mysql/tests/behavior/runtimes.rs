//! Runtimes that are not driven, have no timers, have a paused clock or end.

use crate::server::{Flavour, conn, holder, opts, until_awaited, waiter};
use dlock_core::Wait;
use dlock_mysql::mysql_async::{Conn, Pool, PoolOpts};
use dlock_mysql::{Error, Lock};
use dlock_testkit::cases::fresh_key;
use std::time::{Duration, Instant};
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;

/// Runs a case off the runtime that the trial is on.
async fn blocking(case: impl FnOnce() + Send + 'static) {
    tokio::task::spawn_blocking(case).await.unwrap();
}

/// A runtime of the caller's own.
fn current_thread() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

/// Waits, on another runtime, until nobody holds the key.
fn until_released<E: Flavour>(key: &str) {
    current_thread().block_on(async {
        let (mut observer, start) = (conn::<E>().await, Instant::now());
        while holder(&mut observer, key).await.is_some() {
            assert!(start.elapsed() < Duration::from_secs(2), "still held");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    });
}

/// A guard that is dropped where nobody drives its runtime: between two calls, and before a call that
/// blocks.
pub(crate) async fn not_driven<E: Flavour>() {
    blocking(|| {
        let (key, one) = (fresh_key("idle"), current_thread());
        let lock = Lock::new(one.block_on(conn::<E>()), key.as_str()).unwrap();
        drop(one.block_on(lock.lock_owned()).unwrap());
        until_released::<E>(&key);
        let mut lock = Lock::new(one.block_on(conn::<E>()), key.as_str()).unwrap();
        one.block_on(async {
            drop(lock.lock().await.unwrap());
            let key = key.clone();
            std::thread::spawn(move || until_released::<E>(&key)).join().unwrap();
            lock.lock().await.unwrap().release().await.unwrap();
        });
    })
    .await;
}

/// The runtime ends with the guard: a pool that resets nothing gets no connection that holds the key or is
/// out of step.
pub(crate) async fn ended<E: Flavour>() {
    let options = PoolOpts::new().with_reset_connection(false);
    let pool = Pool::new(opts::<E>().pool_opts(options));
    for is_held in [true, false] {
        let (key, session) = (fresh_key("gone"), pool.get_conn().await.unwrap());
        let mut holding = Lock::new(conn::<E>().await, key.as_str()).unwrap();
        assert!(is_held || holding.acquire(Wait::No).await.unwrap());
        let name = key.clone();
        blocking(move || {
            let one = current_thread();
            let lock = Lock::new(session, name.as_str()).unwrap();
            one.spawn(async move {
                let mut lock = lock;
                let _guard = lock.lock().await.unwrap();
                std::future::pending::<()>().await;
            });
            let mut observer = one.block_on(conn::<E>());
            one.block_on(async {
                match is_held {
                    true => while holder(&mut observer, &name).await.is_none() {},
                    false => drop(until_awaited(&mut observer, &name).await),
                }
            });
        })
        .await;
        let (mut observer, start) = (conn::<E>().await, Instant::now());
        while waiter(&mut observer, &key).await.is_some() {
            assert!(start.elapsed() < Duration::from_secs(2), "still waiting");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        if is_held {
            let key = key.clone();
            blocking(move || until_released::<E>(&key)).await;
        }
        let mut next = timeout(Duration::from_secs(5), pool.get_conn()).await.unwrap().unwrap();
        assert_eq!(crate::server::number(&mut next, "SELECT 7").await, Some(7));
    }
    pool.disconnect().await.unwrap();
}

/// Neither a runtime without timers nor a paused clock changes an answer.
pub(crate) async fn without_a_clock<E: Flavour>() {
    blocking(|| {
        let bare = Builder::new_current_thread().enable_io().build().unwrap();
        bare.block_on(whole::<E>());
        let mut paused = Builder::new_current_thread();
        paused.enable_all().start_paused(true).build().unwrap().block_on(whole::<E>());
    })
    .await;
}

/// Grants, time-outs, dropped waits and guards.
async fn whole<E: Flavour>() {
    let (key, mut observer) = (fresh_key("clock"), conn::<E>().await);
    let mut holding = Lock::new(conn::<E>().await, key.as_str()).unwrap();
    let mut lock = Lock::new(conn::<E>().await, key.as_str()).unwrap();
    for _ in 0..2 {
        drop(lock.lock_within(Duration::from_secs(9)).await.unwrap());
        lock.close().await.unwrap();
        assert!(holding.acquire(Wait::No).await.unwrap());
        let start = Instant::now();
        assert!(!lock.acquire(Duration::from_millis(60)).await.unwrap());
        assert!(start.elapsed() >= Duration::from_millis(60), "{:?}", start.elapsed());
        dropped(&mut lock, &mut observer, &key).await;
        lock.close().await.unwrap();
        assert!(lock.session().is_some());
        holding.release().await.unwrap();
    }
}

/// A wait that is dropped once the server has it in its queue.
async fn dropped(lock: &mut Lock, observer: &mut Conn, key: &str) {
    let queued = async { while waiter(observer, key).await.is_none() {} };
    tokio::select! {
        answer = lock.acquire(Wait::Forever) => panic!("{answer:?}"),
        () = queued => {}
    }
}

/// Off any runtime there is an error, and the session is kept.
pub(crate) async fn off_the_runtime<E: Flavour>() {
    let mut lock = Lock::new(conn::<E>().await, fresh_key("off").as_str()).unwrap();
    blocking(move || {
        // The thread is one of the runtime's, so it goes to one that is not.
        std::thread::spawn(move || {
            let answer = futures::executor::block_on(lock.acquire(Wait::No));
            assert!(matches!(answer, Err(Error::Setup { .. })), "{answer:?}");
            current_thread().block_on(async {
                assert!(lock.session().is_some());
            });
        })
        .join()
        .unwrap();
    })
    .await;
}
