use super::{bounded, client, fresh, lock, until};
use crate::server::Tcp;
use dlock_core::Wait;
use dlock_mssql::Lock;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// The driver's own limit on an answer is 30 seconds, and this session does not lift it.
const LONGER: Duration = Duration::from_secs(31);

#[tokio::test]
async fn waits_outlast_the_drivers_command_timeout() {
    bounded(async {
        let key = fresh("long");
        let (mut holder, mut bounded, mut endless) =
            (lock(&key).await, lock(&key).await, lock(&key).await);
        holder.acquire(Wait::No).await.unwrap();
        let start = Instant::now();
        let release = async {
            tokio::time::sleep(LONGER + Duration::from_secs(1)).await;
            holder.release().await.unwrap();
        };
        let in_vain = async {
            assert!(!bounded.acquire(LONGER).await.unwrap());
            start.elapsed()
        };
        let (waited, granted, ()) = tokio::join!(in_vain, endless.acquire(Wait::Forever), release);
        assert!(waited >= LONGER && waited < LONGER + Duration::from_millis(700), "{waited:?}");
        assert!(granted.unwrap());
        endless.release().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_wait_of_a_nanosecond_is_a_wait() {
    bounded(async {
        let key = fresh("nanosecond");
        let (mut holder, mut one) = (lock(&key).await, lock(&key).await);
        let mut observer = client().await;
        holder.acquire(Wait::No).await.unwrap();
        assert!(!one.acquire(Duration::from_nanos(1)).await.unwrap());
        until(&mut observer, &key, (1, 0)).await;
        let longest = one.acquire(Duration::MAX);
        let waiting = tokio::time::timeout(Duration::from_millis(60), longest).await;
        assert!(waiting.is_err(), "the longest wait is no error: {waiting:?}");
    })
    .await;
}

/// How often this one had the key until the end.
async fn turns(mut one: Lock<Tcp>, end: Instant) -> u32 {
    let mut turns = 0;
    while Instant::now() < end {
        let guard = one.lock().await.unwrap();
        tokio::time::sleep(Duration::from_millis(5)).await;
        guard.release().await.unwrap();
        turns += 1;
    }
    turns
}

/// Their slices are shorter than the queue: each joins it anew, again and again.
#[tokio::test]
async fn exclusive_waiters_in_short_slices_do_not_starve_one_another() {
    bounded(async {
        let key = fresh("starve");
        let end = Instant::now() + Duration::from_secs(5);
        let mut all = tokio::task::JoinSet::new();
        for _ in 0..8 {
            all.spawn(turns(lock(&key).await.slice(Duration::from_millis(20)), end));
        }
        let turns = all.join_all().await;
        let mean = turns.iter().sum::<u32>() / 8;
        assert!(turns.iter().all(|one| *one >= mean / 2), "{turns:?}");
    })
    .await;
}

/// Readers that overlap, each longer than a writer's slice: nobody who waits in one piece loses.
#[tokio::test]
async fn a_writer_whose_slice_is_longer_than_the_readers_holds_is_not_starved() {
    bounded(async {
        let key = fresh("writer");
        let stop = Arc::new(AtomicBool::new(false));
        let mut readers = tokio::task::JoinSet::new();
        for place in 0..3 {
            let (mut reader, stop) = (lock(&key).await.shared(), Arc::clone(&stop));
            readers.spawn(async move {
                tokio::time::sleep(Duration::from_millis(40) * place).await;
                while !stop.load(Ordering::Relaxed) {
                    let guard = reader.lock().await.unwrap();
                    tokio::time::sleep(Duration::from_millis(120)).await;
                    guard.release().await.unwrap();
                }
            });
        }
        let mut writer = lock(&key).await.slice(Duration::from_millis(400));
        tokio::time::sleep(Duration::from_millis(200)).await;
        let granted = writer.acquire(Duration::from_secs(5)).await.unwrap();
        stop.store(true, Ordering::Relaxed);
        assert!(granted);
        writer.release().await.unwrap();
        readers.join_all().await;
    })
    .await;
}
