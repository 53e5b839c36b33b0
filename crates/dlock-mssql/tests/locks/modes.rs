use crate::server::{self, count};
use crate::{fresh, in_time, locks, ms, pair};
use dlock_core::Wait;
use dlock_testkit::trial::BUSY;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

pub(crate) async fn readers_share() {
    let ([one, other], key) = (pair().await, fresh("shared"));
    let first = in_time(one.key(&key).expect("a key").shared().lock()).await.expect("a lock");
    let second = in_time(other.key(&key).expect("a key").shared().lock()).await.expect("a lock");
    assert!(in_time(one.try_lock(&key)).await.expect("an answer").is_none());
    drop((first, second));
    in_time(one.lock(&key)).await.expect("a lock").release().await.expect("a release");
}

/// Update goes with shared and not with itself; upgraded it is alone, and one release frees it.
pub(crate) async fn update_and_upgrade() {
    let ([one, other], key) = (pair().await, fresh("update"));
    let mut observer = server::connect(&server::config().await).await;
    let update = one.key(&key).expect("a key").update();
    let held = in_time(update.lock()).await.expect("a lock");
    let shared = other.key(&key).expect("a key").shared();
    let reader = in_time(shared.try_lock()).await.expect("an answer").expect("it goes with it");
    let second = other.key(&key).expect("a key").update();
    assert!(in_time(second.lock_within(ms(100))).await.is_err());
    let (held, is_alone) = in_time(held.upgrade(ms(100))).await.expect("an answer");
    assert!(!is_alone && held.mode() == dlock_locks::Mode::Update);
    let upgraded = tokio::spawn(held.upgrade(Wait::Forever));
    tokio::time::sleep(ms(50)).await;
    in_time(reader.release()).await.expect("a release");
    let (held, is_alone) = in_time(upgraded).await.expect("no panic").expect("an answer");
    assert!(is_alone && held.mode() == dlock_locks::Mode::Exclusive);
    assert!(in_time(shared.try_lock()).await.expect("an answer").is_none());
    in_time(held.release()).await.expect("a release");
    assert_eq!(count(&mut observer, &key, false).await, 0);
    in_time(other.lock(&key)).await.expect("a lock").release().await.expect("a release");
    assert_eq!(one.stats().await.expect("counts").losses, 0);
}

/// What ran out holds the key as before, and so does its release.
pub(crate) async fn an_upgrade_that_runs_out() {
    let ([one, other], third, key) = (pair().await, locks().await, fresh("upgrade"));
    let shared = other.key(&key).expect("a key").shared();
    let reader = in_time(shared.lock()).await.expect("a lock");
    let mut held = in_time(one.key(&key).expect("a key").update().lock()).await.expect("a lock");
    for wait in [Duration::ZERO, ms(1), ms(300)] {
        let begun = Instant::now();
        let (again, is_alone) = in_time(held.upgrade(wait)).await.expect("an answer");
        assert!(!is_alone && begun.elapsed() >= wait && begun.elapsed() < wait + BUSY);
        held = again;
    }
    drop(held);
    let update = third.key(&key).expect("a key").update();
    let held = in_time(update.lock_within(Duration::from_secs(2))).await.expect("it was let go");
    drop((held, reader));
}

/// Readers of two processes overlap without end, and a writer of each is let in.
pub(crate) async fn a_writer_among_readers() {
    let (processes, key) = (pair().await, fresh("writer"));
    let mut readers = JoinSet::new();
    for number in 0..20 {
        let (locks, key) = (processes[number % 2].clone(), key.clone());
        readers.spawn(async move {
            loop {
                let shared = locks.key(&key).expect("a key").shared();
                let held = shared.lock().await.expect("a lock");
                tokio::time::sleep(ms(20)).await;
                held.release().await.expect("a release");
            }
        });
    }
    let mut longest = Duration::ZERO;
    for number in 0..20 {
        tokio::time::sleep(ms(50)).await;
        let begun = Instant::now();
        let held = in_time(processes[number % 2].lock(&key)).await.expect("a lock");
        longest = longest.max(begun.elapsed());
        held.release().await.expect("a release");
    }
    println!("20 writers among 20 readers waited {longest:?} at most");
    assert!(longest < Duration::from_secs(2), "{longest:?}");
    readers.shutdown().await;
}
