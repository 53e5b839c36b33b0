//! Promise: a service with this library and a Python service with sqlalchemy-dlock that name the same
//! key exclude each other.

mod mysql;
mod neighbour;
mod party;
mod postgres;

use dlock_core::{Lock, RawUnlock, Wait};
use neighbour::{Name, Neighbour};
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(30);

/// Each holds while the other is refused and then waits, over sessions, in turn.
async fn both_ways<R: RawUnlock>(
    neighbour: &mut Neighbour,
    mut lock: Lock<R>,
    name: Name,
    wait: &str,
) {
    assert_eq!(neighbour.asked(&format!("new {name}")).await, "ok");
    assert_eq!(neighbour.asked("acquire no").await, "true");
    assert!(!lock.acquire(Wait::No).await.unwrap(), "{name:?}: both hold");
    assert!(!lock.acquire(Duration::from_millis(20)).await.unwrap(), "{name:?}: both hold");
    let (granted, said) = tokio::join!(lock.acquire(LIMIT), neighbour.asked("release"));
    assert!(granted.unwrap() && said == "ok", "{name:?}: {said}");
    assert_eq!(neighbour.asked("acquire no").await, "false", "{name:?}: both hold");
    neighbour.told(&format!("acquire {wait}")).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    lock.release().await.unwrap();
    assert_eq!(neighbour.hears().await, "true", "{name:?}: never handed over");
    assert!(!lock.acquire(Wait::No).await.unwrap(), "{name:?}: both hold");
    assert_eq!(neighbour.asked("release").await, "ok");
    assert!(lock.acquire(Wait::No).await.unwrap(), "{name:?}: not released");
    lock.release().await.unwrap();
}
