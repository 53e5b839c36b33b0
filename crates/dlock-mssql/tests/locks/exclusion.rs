use crate::server::{self, count};
use crate::{fresh, in_time, locks, ms, pair};
use dlock_mssql::{Lock, Locks};
use dlock_testkit::trial::BUSY;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

async fn work(locks: Locks, key: String, inside: Arc<AtomicUsize>) {
    for _ in 0..5 {
        let held = locks.lock(&key).await.expect("a lock");
        assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0, "{key} is held twice");
        tokio::task::yield_now().await;
        inside.fetch_sub(1, Ordering::SeqCst);
        held.release().await.expect("a release");
    }
}

pub(crate) async fn many_tasks_of_two_processes() {
    let processes = pair().await;
    let keys = Vec::from_iter((0..10).map(|_| (fresh("many"), Arc::new(AtomicUsize::new(0)))));
    let mut tasks = JoinSet::new();
    for number in 0..200 {
        let (key, inside) = &keys[number / 2 % 10];
        tasks.spawn(work(processes[number % 2].clone(), key.clone(), Arc::clone(inside)));
    }
    in_time(tasks.join_all()).await;
    for locks in processes {
        assert_eq!(locks.stats().await.expect("counts").losses, 0);
        in_time(locks.close()).await;
    }
}

pub(crate) async fn of_a_lock_and_locks() {
    let (locks, key) = (locks().await, fresh("lock"));
    let client = server::connect(&server::config().await).await;
    let mut lock = Lock::new(client, &key).expect("a key");
    let held = in_time(locks.lock(&key)).await.expect("a lock");
    assert!(lock.try_lock().await.expect("an answer").is_none());
    in_time(held.release()).await.expect("a release");
    let guard = lock.try_lock().await.expect("an answer").expect("it is free");
    assert!(in_time(locks.try_lock(&key)).await.expect("an answer").is_none());
    let begun = Instant::now();
    let refused = in_time(locks.lock_within(&key, ms(200))).await;
    assert!(matches!(refused, Err(dlock_locks::Error::TimedOut { .. })), "{refused:?}");
    assert!(
        begun.elapsed() >= ms(200) && begun.elapsed() < ms(200) + BUSY,
        "{:?}",
        begun.elapsed()
    );
    let (waited, released) =
        in_time(async { tokio::join!(locks.lock(&key), guard.release()) }).await;
    released.expect("a release");
    waited.expect("a lock").release().await.expect("a release");
}

/// A name is only ever a name.
pub(crate) async fn by_names_in_every_script() {
    let [one, other] = pair().await;
    let start = fresh("x");
    let hostile =
        ["'; SELECT 1; --", "]:(", "%_[^", "@P1", "日本語", "🔒", " ", "{}", "\n\t\r", "É"];
    let mut all = Vec::new();
    for name in hostile {
        let key = format!("{start}{name}");
        all.push((in_time(one.lock(&key)).await.expect(name), key.clone()));
        let shared = other.key(&key).expect("a key").shared();
        assert!(in_time(shared.try_lock()).await.expect(name).is_none(), "{name}");
        let longest = format!("{key}{}", "x".repeat(255 - key.encode_utf16().count()));
        assert!(in_time(other.try_lock(longest)).await.expect(name).is_some(), "{name}");
    }
    for (held, key) in all {
        in_time(held.release()).await.expect("a release");
        assert!(in_time(other.try_lock(&key)).await.expect("an answer").is_some(), "{key}");
    }
    assert!(one.key("").is_err() && one.key("a\0").is_err() && one.key("x".repeat(256)).is_err());
}

pub(crate) async fn of_300_keys_on_one_session() {
    let [one, other] = pair().await;
    let keys = Arc::new(Vec::from_iter((0..300).map(|_| fresh("300"))));
    let begun = Instant::now();
    let held = in_time(one.lock_all(keys.iter(), Duration::from_secs(30))).await.expect("locks");
    println!("300 keys were had after {:?}", begun.elapsed());
    let stats = one.stats().await.expect("counts");
    assert_eq!((stats.sessions, stats.held), (1, 300), "{stats:?}");
    let mut tries = JoinSet::new();
    for number in 0..300 {
        let (other, keys) = (other.clone(), Arc::clone(&keys));
        tries.spawn(
            async move { other.try_lock(&keys[number]).await.expect("an answer").is_none() },
        );
    }
    assert!(in_time(tries.join_all()).await.into_iter().all(|is_taken| is_taken));
    in_time(held.release()).await.expect("a release");
    let held = in_time(other.lock_all(keys.iter(), Duration::ZERO)).await.expect("all are free");
    in_time(held.release()).await.expect("a release");
}

pub(crate) async fn hand_over_between_two() {
    let ([one, other], key) = (pair().await, fresh("hand"));
    let mut times = Vec::new();
    for _ in 0..21 {
        let held = in_time(one.lock(&key)).await.expect("a lock");
        let waits = tokio::spawn({
            let (other, key) = (other.clone(), key.clone());
            async move { (other.lock(&key).await.expect("a lock"), Instant::now()) }
        });
        let mut observer = server::connect(&server::config().await).await;
        while count(&mut observer, &key, true).await == 0 {
            tokio::time::sleep(ms(1)).await;
        }
        let begun = Instant::now();
        in_time(held.release()).await.expect("a release");
        let (next, granted) = in_time(waits).await.expect("no panic");
        times.push(granted.saturating_duration_since(begun));
        in_time(next.release()).await.expect("a release");
    }
    times.sort();
    println!("handed over in {:?} in the median, {:?} at worst", times[10], times[20]);
    assert!(times[10] < ms(100), "{times:?}");
}

pub(crate) async fn a_dropped_call_leaves_nothing() {
    let ([one, other], key) = (pair().await, fresh("drop"));
    let mut observer = server::connect(&server::config().await).await;
    let held = in_time(one.lock(&key)).await.expect("a lock");
    for millis in 0..20 {
        let shared = other.key(&key).expect("a key").shared();
        let dropped = tokio::time::timeout(ms(millis), shared.lock()).await;
        assert!(dropped.is_err(), "it is held");
        let dropped = tokio::time::timeout(ms(millis), other.lock(&key)).await;
        assert!(dropped.is_err(), "it is held");
    }
    let begun = Instant::now();
    while count(&mut observer, &key, true).await > 0 {
        tokio::time::sleep(ms(5)).await;
    }
    println!("the queue was left after {:?}", begun.elapsed());
    assert!(begun.elapsed() < ms(1000) + BUSY, "{:?}", begun.elapsed());
    drop(held);
    let free = in_time(one.key(&key).expect("a key").lock_within(Duration::from_secs(2))).await;
    in_time(free.expect("nobody has it").release()).await.expect("a release");
    assert_eq!(count(&mut observer, &key, false).await, 0);
}
