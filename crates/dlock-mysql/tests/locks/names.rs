//! Names at their limits, and names that the server takes for one.

use crate::server::{Flavour, opts, until_awaited};
use crate::{holder_of, locks};
use dlock_mysql::Key;
use dlock_testkit::cases::fresh_key;
use dlock_testkit::server::Mysql;

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
