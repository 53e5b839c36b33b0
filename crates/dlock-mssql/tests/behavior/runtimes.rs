//! Runtimes that nobody drives, that end, that have no timers, whose clock stands; and none at all.

use super::{bounded, client, fresh, lock, until};
use crate::server::{Tcp, integer};
use dlock_core::{Error, Wait};
use dlock_mssql::Lock;
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Waker};
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};

fn multi_thread() -> Runtime {
    Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
}

fn current_thread() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

#[test]
fn a_guard_that_is_dropped_where_nobody_drives_the_runtime_releases() {
    let (own, idle, key) = (multi_thread(), current_thread(), fresh("runtime-idle"));
    let guard = idle.block_on(async { lock(&key).await.lock_owned().await.unwrap() });
    drop(guard);
    own.block_on(bounded(async { until(&mut client().await, &key, (0, 0)).await }));
    let mut one = idle.block_on(lock(&key));
    drop(idle.block_on(one.lock()).unwrap());
    own.block_on(bounded(async { until(&mut client().await, &key, (0, 0)).await }));
    assert!(idle.block_on(one.acquire(Wait::No)).unwrap());
    drop(idle);
}

#[test]
fn a_guard_that_is_dropped_after_its_runtime_releases() {
    let (own, ended, key) = (multi_thread(), current_thread(), fresh("runtime-ended"));
    let guard = ended.block_on(async { lock(&key).await.lock_owned().await.unwrap() });
    drop(ended);
    drop(guard);
    own.block_on(bounded(async { until(&mut client().await, &key, (0, 0)).await }));
}

/// A wait that is dropped leaves the queue, too.
#[test]
fn a_wait_that_is_dropped_where_nobody_drives_the_runtime_leaves_the_queue() {
    let (own, idle, key) = (multi_thread(), current_thread(), fresh("runtime-wait"));
    let mut observer = own.block_on(client());
    let mut holder = own.block_on(lock(&key));
    assert!(own.block_on(holder.acquire(Wait::No)).unwrap());
    let mut one = idle.block_on(lock(&key));
    let waiting = async {
        let waiting = one.acquire(Wait::Forever);
        assert!(tokio::time::timeout(Duration::from_millis(100), waiting).await.is_err());
    };
    idle.block_on(waiting);
    own.block_on(bounded(until(&mut observer, &key, (1, 0))));
    drop((one, idle));
    own.block_on(bounded(until(&mut observer, &key, (1, 0))));
}

/// Takes from the task what it may do before it yields.
fn use_up_the_budget() {
    let (sender, mut receiver) = tokio::sync::mpsc::unbounded_channel();
    (0..1000).for_each(|number| sender.send(number).unwrap());
    let mut context = Context::from_waker(Waker::noop());
    while pin!(receiver.recv()).poll(&mut context).is_ready() {}
}

async fn dropped_without_budget(key: &str) {
    let (mut owner, mut observer) = (client().await, client().await);
    let mut lent = Lock::new(&mut owner, key).unwrap();
    let guard = lent.lock().await.unwrap();
    use_up_the_budget();
    drop(guard);
    drop(lent);
    until(&mut observer, key, (0, 0)).await;
    assert_eq!(integer(&mut owner, "SELECT 77").await, 77);
    let guard = lock(key).await.lock_owned().await.unwrap();
    use_up_the_budget();
    drop(guard);
    std::thread::sleep(Duration::from_millis(200));
    until(&mut observer, key, (0, 0)).await;
}

#[tokio::test]
async fn a_guard_that_is_dropped_without_budget_releases() {
    let key = fresh("runtime-budget");
    bounded(async { tokio::spawn(async move { dropped_without_budget(&key).await }).await })
        .await
        .unwrap();
}

async fn everything_answers(key: &str) {
    let (mut one, mut two) = (lock(key).await, lock(key).await);
    drop(one.lock().await.unwrap());
    assert!(one.acquire(Wait::No).await.unwrap());
    assert!(!two.acquire(Duration::from_millis(60)).await.unwrap());
    one.close().await.unwrap();
    assert!(two.acquire(Wait::Forever).await.unwrap());
    two.into_session().await.unwrap();
}

#[test]
fn a_runtime_needs_no_timers_and_its_clock_may_stand() {
    let no_timers = Builder::new_current_thread().enable_io().build().unwrap();
    no_timers.block_on(everything_answers(&fresh("runtime-timers")));
    let paused = Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    paused.block_on(everything_answers(&fresh("runtime-paused")));
}

#[test]
fn off_the_runtime_a_call_is_refused_and_the_session_stays() {
    let (own, key) = (multi_thread(), fresh("runtime-none"));
    let mut one: Lock<Tcp> = own.block_on(lock(&key));
    let answer = pin!(one.acquire(Wait::No)).poll(&mut Context::from_waker(Waker::noop()));
    assert!(matches!(answer, std::task::Poll::Ready(Err(Error::Setup { .. }))), "{answer:?}");
    assert!(own.block_on(one.acquire(Wait::No)).unwrap());
    own.block_on(one.release()).unwrap();
}
