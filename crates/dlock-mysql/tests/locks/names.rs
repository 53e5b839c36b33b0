//! Names at their limits, and names that the server takes for one.

use crate::server::{Flavour, opts, until_awaited};
use crate::{holder_of, locks};
use dlock_mysql::Key;
use dlock_testkit::cases::fresh_key;
use dlock_testkit::server::Mysql;
use std::time::Duration;
use tokio::task::JoinSet;

pub(crate) async fn longest<E: Flavour>() {
    let (locks, mut keys) = (locks(opts::<E>()), Vec::new());
    for character in ['x', 'é', '語', '\'', '\\', '\n', '%'] {
        let text: String = std::iter::repeat_n(character, 60).collect();
        keys.push(format!("{text}{:04}", std::process::id() % 10_000));
    }
    let mut held = Vec::new();
    for key in &keys {
        assert_eq!(key.chars().count(), 64);
        held.push(locks.try_lock(key).await.expect("an answer").expect("a lock"));
    }
    for held in held {
        assert!(locks.try_lock(held.key().as_str()).await.expect("an answer").is_none());
        held.release().await.expect("a release");
    }
    assert!(locks.key("x".repeat(65)).is_err());
    let hashed = locks.lock(Key::hashed(&keys.concat())).await.expect("a lock");
    hashed.release().await.expect("a release");
}

/// Two names in the process, one on the server: one of them is held at a time, by whichever process.
pub(crate) async fn twins() {
    let ([one, other], key) = ([locks(opts::<Mysql>()), locks(opts::<Mysql>())], fresh_key("É"));
    let twin = key.replace('É', "é");
    for locks in [&one, &other] {
        let held = one.lock(&key).await.expect("a lock");
        assert!(locks.try_lock(&twin).await.expect("an answer").is_none());
        let waits = tokio::spawn({
            let (locks, twin) = (locks.clone(), twin.clone());
            async move { locks.lock(twin).await.expect("a lock") }
        });
        until_awaited(&mut crate::server::conn::<Mysql>().await, &twin).await;
        assert!(!held.is_lost() && !waits.is_finished());
        held.release().await.expect("a release");
        let held = waits.await.expect("no panic");
        assert!(one.try_lock(&key).await.expect("an answer").is_none());
        held.release().await.expect("a release");
        assert_eq!(holder_of::<Mysql>(&key).await, None);
    }
}

/// Several keys, two of which are one on MySQL: they count once there, and are two on MariaDB.
pub(crate) async fn several<E: Flavour>(count: usize) {
    let ([one, other], key) = ([locks(opts::<E>()), locks(opts::<E>())], fresh_key("É Job"));
    let (lower, behind) = (key.to_lowercase(), fresh_key("z"));
    for keys in [[&key, &lower, &behind], [&behind, &lower, &key]] {
        let held = one.lock_all(keys, Duration::from_secs(5)).await.expect("all of them");
        assert_eq!(held.keys().count(), count);
        for key in keys {
            assert!(other.try_lock(key).await.expect("an answer").is_none());
        }
        held.release().await.expect("a release");
    }
    let theirs = other.lock(&lower).await.expect("a lock");
    let none = one.lock_all([&key, &lower], Duration::from_millis(300)).await;
    assert!(none.is_err(), "{none:?}");
    theirs.release().await.expect("a release");
    let held = one.lock_all([&key, &lower], Duration::from_secs(5)).await;
    held.expect("both").release().await.expect("a release");
}

/// Two processes that spell the same keys in other ways take them in one order.
pub(crate) async fn orders() {
    let (number, mut tasks) = (fresh_key("order"), JoinSet::new());
    for spelt in [["a", "B"], ["A", "b"]] {
        let (locks, number) = (locks(opts::<Mysql>()), number.clone());
        tasks.spawn(async move {
            for _ in 0..200 {
                let keys = spelt.map(|letter| format!("{letter}{number}"));
                let held = locks.lock_all(keys, Duration::from_secs(5)).await.expect("both");
                held.release().await.expect("a release");
            }
        });
    }
    tasks.join_all().await;
}
