//! Holds that the caller took by hand, on the lock's own session.

use super::{bounded, client, fresh, lock, until};
use crate::server::{Tcp, run, take};
use dlock_core::{Error, Wait};
use dlock_mssql::{Lock, Mode};
use dlock_testkit::polled::polled;
use std::time::Duration;

/// Gives one grant back.
async fn give_back(client: &mut Tcp, key: &str) {
    run(client, &format!("EXEC sp_releaseapplock N'{key}', 'Session'")).await;
}

/// The session holds the key by hand, once, and gives it back.
async fn is_held_once(one: &mut Lock<Tcp>, key: &str) {
    let mut observer = client().await;
    until(&mut observer, key, (1, 0)).await;
    give_back(one.session().unwrap(), key).await;
    until(&mut observer, key, (0, 0)).await;
}

#[tokio::test]
async fn a_release_leaves_what_was_taken_beside_it() {
    bounded(async {
        let key = fresh("hand-release");
        let mut one = lock(&key).await.update();
        for upgrades in [false, true] {
            one.acquire(Wait::No).await.unwrap();
            take(one.session().unwrap(), &key, "Exclusive").await;
            assert!(!upgrades || one.upgrade(Wait::No).await.unwrap());
            one.release().await.unwrap();
            assert!(matches!(one.acquire(Wait::No).await, Err(Error::AlreadyHeld)));
            is_held_once(&mut one, &key).await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_dropped_guard_leaves_what_was_taken_beside_it() {
    bounded(async {
        let key = fresh("hand-drop");
        let mut one = lock(&key).await;
        let mut guard = one.lock().await.unwrap();
        take(guard.session(), &key, "Exclusive").await;
        drop(guard);
        one.close().await.unwrap();
        is_held_once(&mut one, &key).await;
    })
    .await;
}

/// The call is refused; where nobody hears that, nothing was granted and nothing is released.
#[tokio::test]
async fn a_dropped_call_leaves_what_was_taken_before_it() {
    bounded(async {
        let key = fresh("hand-before");
        let mut one = lock(&key).await;
        for polls in 0.. {
            take(one.session().unwrap(), &key, "Exclusive").await;
            let answer = polled(one.acquire(Wait::Forever), polls).await;
            one.close().await.unwrap();
            is_held_once(&mut one, &key).await;
            if let Some(answer) = answer {
                assert!(matches!(answer, Err(Error::AlreadyHeld)), "{answer:?}");
                break;
            }
        }
    })
    .await;
}

#[tokio::test]
async fn an_upgrade_goes_with_any_mode_beside_it() {
    bounded(async {
        let (key, mut observer) = (fresh("hand-upgrade"), client().await);
        for beside in ["IntentShared", "Shared", "Update", "IntentExclusive", "Exclusive"] {
            let mut one = lock(&key).await.update();
            one.acquire(Wait::No).await.unwrap();
            take(one.session().unwrap(), &key, beside).await;
            assert!(one.upgrade(Wait::No).await.unwrap(), "beside {beside}");
            assert!(one.is_locked() && one.mode() == Mode::Exclusive);
            one.release().await.unwrap();
            is_held_once(&mut one, &key).await;
        }
        until(&mut observer, &key, (0, 0)).await;
    })
    .await;
}

/// Nobody knows whether what is held after the release is the caller's or the upgrade's: the session
/// ends.
#[tokio::test]
async fn a_dropped_upgrade_beside_another_hold_ends_the_session() {
    bounded(async {
        let (key, mut observer) = (fresh("hand-upgrade-drop"), client().await);
        let (mut one, mut reader) = (lock(&key).await.update(), lock(&key).await.shared());
        assert!(one.acquire(Wait::No).await.unwrap() && reader.acquire(Wait::No).await.unwrap());
        take(one.session().unwrap(), &key, "Update").await;
        let upgrade = one.upgrade(Wait::Forever);
        assert!(tokio::time::timeout(Duration::from_millis(50), upgrade).await.is_err());
        until(&mut observer, &key, (1, 0)).await;
        one.close().await.unwrap();
        assert!(one.session().is_none());
    })
    .await;
}
