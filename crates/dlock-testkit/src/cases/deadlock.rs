//! Promise: a deadlock is told to one, who keeps what it had, and the other goes on.

use super::{fresh_key, until_waiting};
use crate::bed::SharedBed;
use dlock_core::{Error, Wait};
use futures_util::future::{Either, select};
use std::pin::pin;
use std::time::Instant;

/// Two sessions, two keys, crossed.
pub async fn crossed<B: SharedBed>(bed: B) {
    let (a, b) = (fresh_key("cross-a"), fresh_key("cross-b"));
    let [mut one_a, mut one_b] = bed.locks([&a, &b]).await;
    let [mut two_b, mut two_a] = bed.locks([&b, &a]).await;
    assert!(one_a.acquire(Wait::No).await.unwrap());
    assert!(two_b.acquire(Wait::No).await.unwrap());
    let start = Instant::now();
    {
        let one = pin!(one_b.acquire(Wait::Forever));
        let two = pin!(async {
            until_waiting(&bed, &b, 1).await;
            two_a.acquire(Wait::Forever).await
        });
        // The victim keeps what it had, and so the other waits until that is released.
        let (victim, survivor) = match select(one, two).await {
            Either::Left((victim, other)) => {
                assert_eq!(bed.holders(&a).await, 1);
                one_a.release().await.unwrap();
                (victim, other.await)
            }
            Either::Right((victim, other)) => {
                assert_eq!(bed.holders(&b).await, 1);
                two_b.release().await.unwrap();
                (victim, other.await)
            }
        };
        assert!(matches!(victim, Err(Error::Deadlock(_))), "{victim:?}");
        assert!(survivor.unwrap());
    }
    assert!(start.elapsed() < B::DEADLOCK, "{:?}", start.elapsed());
    for mut lock in [one_a, one_b, two_a, two_b] {
        lock.close().await.unwrap();
    }
}
