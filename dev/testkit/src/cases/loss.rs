//! Promise: a lock that was lost says so, and nothing hangs.

use super::{fresh_key, until, until_waiting};
use crate::bed::Bed;
use crate::proxy::Proxy;
use dlock_core::{Error, Wait};
use futures::future::join;
use std::time::Duration;

/// The session is ended while it holds the key: release says so once, and the key is free.
pub async fn killed_holder<B: Bed>(bed: B) {
    let key = fresh_key("killed");
    let mut lock = bed.lock(&key).await;
    assert!(lock.acquire(Wait::No).await.unwrap());
    bed.kill(&key).await;
    until(&bed, &key, (0, 0), Duration::from_secs(5)).await;
    let answer = lock.release().await;
    assert!(matches!(answer, Err(Error::Lost(_))), "{answer:?}");
    assert!(!lock.is_locked());
    let answer = lock.acquire(Wait::No).await;
    assert!(matches!(answer, Err(Error::Closed)), "{answer:?}");
    lock.close().await.unwrap();
    let mut next = bed.lock(&key).await;
    assert!(next.acquire(Wait::No).await.unwrap());
    next.release().await.unwrap();
}

/// The session is ended while it waits: an error, not a hang.
pub async fn killed_waiter<B: Bed>(bed: B) {
    let key = fresh_key("killed-waiter");
    let (mut holder, mut lock) = (bed.lock(&key).await, bed.lock(&key).await);
    assert!(holder.acquire(Wait::No).await.unwrap());
    let kill = async {
        until_waiting(&bed, &key, 1).await;
        bed.kill(&key).await;
    };
    let (answer, ()) = join(lock.acquire(Wait::Forever), kill).await;
    until(&bed, &key, (0, 0), Duration::from_secs(5)).await;
    match answer {
        // The holder may be ended first, and the key handed over before its next holder ends too.
        Ok(granted) => assert!(granted && lock.release().await.is_err()),
        Err(_) => assert!(!lock.is_locked()),
    }
    assert!(lock.acquire(Wait::No).await.is_err());
    drop(holder);
}

/// The connection is cut while it holds the key.
pub async fn cut_holder<B: Bed>(bed: B) {
    let Some(address) = bed.address() else { return };
    let proxy = Proxy::start(address).unwrap();
    let key = fresh_key("cut");
    let mut lock = bed.lock_through(proxy.addr(), &key).await;
    assert!(lock.acquire(Wait::No).await.unwrap());
    proxy.cut();
    until(&bed, &key, (0, 0), Duration::from_secs(5)).await;
    let answer = lock.release().await;
    assert!(matches!(answer, Err(Error::Lost(_))), "{answer:?}");
    assert!(matches!(lock.acquire(Wait::No).await, Err(Error::Closed)));
}
