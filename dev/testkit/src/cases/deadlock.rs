//! Promise: a deadlock is told to one, who keeps what it had, and the other goes on.

use super::{fresh_key, until, until_waiting};
use crate::bed::SharedBed;
use crate::polled::polled;
use dlock_core::{Error, Wait};
use futures::future::{Either, join, select};
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

/// The wait that closes the circle is dropped after every number of polls: it is out of it, keeps what
/// it had, and the other goes on.
pub async fn every_poll<B: SharedBed>(bed: B) {
    let (a, b) = (fresh_key("cross-drop-a"), fresh_key("cross-drop-b"));
    let [mut one_a, mut one_b] = bed.locks([&a, &b]).await;
    let [mut two_b, mut two_a] = bed.locks([&b, &a]).await;
    for polls in 1.. {
        assert!(one_a.acquire(Wait::No).await.unwrap());
        assert!(two_b.acquire(Wait::No).await.unwrap());
        let one = async {
            until_waiting(&bed, &a, 1).await;
            let answer = polled(one_b.acquire(Wait::Forever), polls).await;
            one_a.release().await.unwrap();
            answer
        };
        let two = async {
            let answer = two_a.acquire(Wait::Forever).await;
            two_b.release().await.unwrap();
            answer
        };
        let (one, two) = join(one, two).await;
        let deadlock = |answer: &Result<bool, _>| matches!(answer, Err(Error::Deadlock(_)));
        assert!(two.as_ref().is_ok_and(|granted| *granted) || deadlock(&two), "{two:?}");
        assert!(one.as_ref().is_none_or(|one| one.is_ok() != deadlock(one)), "{one:?}");
        one_b.close().await.unwrap();
        two_a.close().await.unwrap();
        until(&bed, &a, (0, 0), B::FORGETS).await;
        until(&bed, &b, (0, 0), B::FORGETS).await;
        if one.is_some() {
            break;
        }
    }
}
