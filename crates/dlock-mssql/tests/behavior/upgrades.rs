use super::{bounded, client, fresh, lock, until, until_waiting};
use crate::server::{Tcp, run};
use dlock_core::{Error, Wait};
use dlock_mssql::{Lock, Mode};
use std::time::{Duration, Instant};

#[tokio::test]
async fn an_upgrade_takes_update_to_exclusive_and_one_release_gives_both_back() {
    bounded(async {
        let key = fresh("upgrade");
        let (mut one, mut reader) = (lock(&key).await.update(), lock(&key).await.shared());
        assert!(one.acquire(Wait::No).await.unwrap());
        assert!(reader.acquire(Wait::No).await.unwrap());
        assert!(!one.upgrade(Wait::No).await.unwrap());
        assert_eq!(one.mode(), Mode::Update);
        reader.release().await.unwrap();
        assert!(one.upgrade(Wait::No).await.unwrap());
        assert_eq!(one.mode(), Mode::Exclusive);
        assert!(!reader.acquire(Wait::No).await.unwrap());
        one.release().await.unwrap();
        assert_eq!(one.mode(), Mode::Update);
        assert!(reader.acquire(Wait::No).await.unwrap());
        assert!(one.acquire(Wait::No).await.unwrap(), "update goes with shared again");
        one.release().await.unwrap();
        reader.release().await.unwrap();
        let mut writer = lock(&key).await;
        assert!(writer.acquire(Wait::No).await.unwrap(), "nothing is left");
    })
    .await;
}

#[tokio::test]
async fn an_upgrade_waits_its_time_and_keeps_the_old_mode() {
    bounded(async {
        let key = fresh("upgrade-wait");
        let (mut one, mut reader) = (lock(&key).await.update(), lock(&key).await.shared());
        assert!(one.acquire(Wait::No).await.unwrap());
        assert!(reader.acquire(Wait::No).await.unwrap());
        let (limit, start) = (Duration::from_millis(150), Instant::now());
        assert!(!one.upgrade(limit).await.unwrap());
        assert!(start.elapsed() >= limit && start.elapsed() < limit * 4);
        assert!(one.is_locked() && one.mode() == Mode::Update);
        let mut observer = client().await;
        let release = async {
            until_waiting(&mut observer, &key).await;
            reader.release().await.unwrap();
        };
        let (upgraded, ()) = tokio::join!(one.upgrade(Wait::Forever), release);
        assert!(upgraded.unwrap());
        one.release().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn guards_upgrade_and_come_back() {
    bounded(async {
        let key = fresh("upgrade-guard");
        let (mut one, mut reader) = (lock(&key).await.update(), lock(&key).await.shared());
        let guard = one.lock().await.unwrap();
        assert!(reader.acquire(Wait::No).await.unwrap());
        let (guard, upgraded) = guard.upgrade(Wait::No).await.unwrap();
        assert!(!upgraded && guard.mode() == Mode::Update);
        reader.release().await.unwrap();
        let (guard, upgraded) = guard.upgrade(Wait::Forever).await.unwrap();
        assert!(upgraded && guard.mode() == Mode::Exclusive);
        guard.release().await.unwrap();
        let guard = one.lock_owned().await.unwrap();
        let (guard, upgraded) = guard.upgrade(Wait::No).await.unwrap();
        assert!(upgraded);
        drop(guard.release().await.unwrap());
        assert!(reader.acquire(Wait::No).await.unwrap());
    })
    .await;
}

#[tokio::test]
async fn only_a_held_update_lock_upgrades() {
    bounded(async {
        let key = fresh("upgrade-misuse");
        let mut one = lock(&key).await.update();
        assert!(matches!(one.upgrade(Wait::No).await, Err(Error::NotLocked)));
        one.acquire(Wait::No).await.unwrap();
        assert!(one.upgrade(Wait::No).await.unwrap());
        assert!(matches!(one.upgrade(Wait::No).await, Err(Error::WrongMode)));
        assert!(one.is_locked());
        one.release().await.unwrap();
        for mut other in [lock(&key).await, lock(&key).await.shared()] {
            other.acquire(Wait::No).await.unwrap();
            assert!(matches!(other.upgrade(Wait::No).await, Err(Error::WrongMode)));
            assert!(other.is_locked());
            other.release().await.unwrap();
        }
    })
    .await;
}

#[tokio::test]
async fn an_upgrade_of_a_lock_that_was_lost_says_so() {
    bounded(async {
        let key = fresh("upgrade-lost");
        let mut one = lock(&key).await.update();
        one.acquire(Wait::No).await.unwrap();
        let release =
            format!("EXEC sp_releaseapplock @Resource = N'{key}', @LockOwner = 'Session'");
        run(one.session().unwrap(), &release).await;
        assert!(matches!(one.upgrade(Wait::No).await, Err(Error::Lost(_))));
        assert!(!one.is_locked());
        assert!(one.acquire(Wait::No).await.unwrap());
        one.release().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_dropped_upgrade_leaves_neither_mode() {
    bounded(async {
        let key = fresh("upgrade-drop");
        let (mut one, mut reader) = (lock(&key).await.update(), lock(&key).await.shared());
        let mut observer = client().await;
        assert!(reader.acquire(Wait::No).await.unwrap());
        assert!(one.acquire(Wait::No).await.unwrap());
        let dropped = tokio::time::timeout(Duration::from_millis(50), one.upgrade(Wait::Forever));
        assert!(dropped.await.is_err());
        until(&mut observer, &key, (1, 0)).await;
        one.close().await.unwrap();
        assert_eq!(one.mode(), Mode::Update);
        reader.release().await.unwrap();
        assert!(one.acquire(Wait::No).await.unwrap());
        assert!(one.upgrade(Wait::No).await.unwrap());
        drop(one);
        until(&mut observer, &key, (0, 0)).await;
    })
    .await;
}

/// Asks the upgrade's session for what it holds beside, while the other asks for an upgrade.
async fn cross(two: &mut Lock<Tcp>, key: &str, beside: &str) -> bool {
    until_waiting(&mut client().await, key).await;
    let mut inner = Lock::new(two.session().unwrap(), beside).unwrap();
    let answer = inner.acquire(Wait::For(Duration::from_secs(20))).await;
    inner.close().await.unwrap();
    drop(inner);
    two.release().await.unwrap();
    matches!(answer, Err(Error::Deadlock(_)))
}

/// Asks for an upgrade, and lets the key beside go afterwards.
async fn upgrade(one: &mut Lock<Tcp>, beside: &str) -> bool {
    let answer = one.upgrade(Wait::For(Duration::from_secs(20))).await;
    let victim = matches!(answer, Err(Error::Deadlock(_)));
    assert!(one.is_locked());
    let held = if victim { Mode::Update } else { Mode::Exclusive };
    assert_eq!(one.mode(), held, "{answer:?}");
    run(one.session().unwrap(), &release_of(beside)).await;
    victim
}

fn release_of(key: &str) -> String {
    format!("EXEC sp_releaseapplock @Resource = N'{key}', @LockOwner = 'Session'")
}

#[tokio::test]
async fn a_deadlock_in_an_upgrade_keeps_the_old_mode() {
    bounded(async {
        let (key, beside) = (fresh("upgrade-key"), fresh("upgrade-beside"));
        let (mut one, mut two) = (lock(&key).await.update(), lock(&key).await.shared());
        one.acquire(Wait::No).await.unwrap();
        two.acquire(Wait::No).await.unwrap();
        let mut held = Lock::new(one.session().unwrap(), beside.as_str()).unwrap();
        held.acquire(Wait::No).await.unwrap();
        std::mem::forget(held);
        let other = cross(&mut two, &key, &beside);
        let (first, second) = tokio::join!(upgrade(&mut one, &beside), other);
        assert!(first ^ second, "one victim: {first} {second}");
        one.release().await.unwrap();
    })
    .await;
}
