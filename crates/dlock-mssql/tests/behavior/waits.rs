use super::{bounded, client, fresh, lock, until};
use dlock_core::Wait;
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
