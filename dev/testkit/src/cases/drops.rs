//! Promise: any future may be dropped at any await, and any guard anywhere. Afterwards nothing is held,
//! nobody waits, and a connection that is still usable answers what it is asked.

use super::{fresh_key, until, until_waiting};
use crate::bed::Bed;
use crate::polled::polled;
use dlock_core::{Lock, Wait};
use futures::future::join;
use std::fmt;
use std::future::Future;
use std::mem;
use std::panic::resume_unwind;
use std::thread;
use std::time::Duration;

const WAITS: [Wait; 3] = [Wait::No, Wait::For(Duration::from_secs(5)), Wait::Forever];

/// Nothing of the dropped call is left, and the session (or a new one) works.
async fn settled<B: Bed>(bed: &B, lock: &mut Lock<B::Raw>, key: &str, holders: usize) {
    assert!(!lock.is_locked());
    until(bed, key, (holders, 0), B::FORGETS).await;
    lock.close().await.unwrap();
    answers(bed, lock, key, 77).await;
}

/// The session gives its own answer; or it was ended, and there is a new one.
async fn answers<B: Bed>(bed: &B, lock: &mut Lock<B::Raw>, key: &str, number: i64) {
    let ended = match lock.session() {
        Some(session) => {
            assert_eq!(B::echo(session, number).await.unwrap(), number);
            false
        }
        None => true,
    };
    if ended {
        *lock = bed.lock(key).await;
    }
}

/// The key is free, and the future that acquires it is dropped after every number of polls.
pub async fn every_poll_granted<B: Bed>(bed: B) {
    let key = fresh_key("drop-granted");
    let mut lock = bed.lock(&key).await;
    for wait in WAITS {
        for polls in 0.. {
            if let Some(answer) = polled(lock.acquire(wait), polls).await {
                assert!(polls > 0 && answer.unwrap(), "{wait:?} after {polls}");
                lock.release().await.unwrap();
                break;
            }
            settled(&bed, &mut lock, &key, 0).await;
        }
    }
}

/// The key is held elsewhere, and there is no wait.
pub async fn every_poll_refused<B: Bed>(bed: B) {
    refused(&bed, "drop-refused", Wait::No).await;
}

/// The key is held elsewhere, and the wait runs out.
pub async fn every_poll_timed_out<B: Bed>(bed: B) {
    refused(&bed, "drop-timed-out", Wait::For(Duration::from_millis(20))).await;
}

async fn refused<B: Bed>(bed: &B, case: &str, wait: Wait) {
    let key = fresh_key(case);
    let (mut holder, mut lock) = (bed.lock(&key).await, bed.lock(&key).await);
    assert!(holder.acquire(Wait::No).await.unwrap());
    for polls in 0.. {
        if let Some(answer) = polled(lock.acquire(wait), polls).await {
            assert!(!answer.unwrap(), "after {polls}");
            break;
        }
        settled(bed, &mut lock, &key, 1).await;
    }
    holder.release().await.unwrap();
}

/// The key is handed over to a wait that is dropped after every number of polls.
pub async fn every_poll_handed_over<B: Bed>(bed: B) {
    let key = fresh_key("drop-handed-over");
    let (mut holder, mut lock) = (bed.lock(&key).await, bed.lock(&key).await);
    for polls in 1.. {
        assert!(holder.acquire(Wait::No).await.unwrap());
        let release = async {
            let waiting = until_waiting(&bed, &key, 1);
            // A wait that was dropped at once is never seen.
            drop(tokio::time::timeout(Duration::from_millis(30), waiting).await);
            holder.release().await.unwrap();
        };
        match join(polled(lock.acquire(Wait::Forever), polls), release).await.0 {
            None => settled(&bed, &mut lock, &key, 0).await,
            Some(answer) => {
                assert!(answer.unwrap());
                lock.release().await.unwrap();
                break;
            }
        }
    }
}

/// A release is dropped after every number of polls: the key is free all the same.
pub async fn every_poll_release<B: Bed>(bed: B) {
    let key = fresh_key("drop-release");
    let mut lock = bed.lock(&key).await;
    for polls in 0.. {
        let guard = lock.lock().await.unwrap();
        let answer = polled(guard.release(), polls).await;
        settled(&bed, &mut lock, &key, 0).await;
        if let Some(answer) = answer {
            answer.unwrap();
            break;
        }
    }
}

/// A call is forgotten, not dropped, after a few polls: the lock's next call finds out, or its drop.
pub async fn forgotten<B: Bed>(bed: B) {
    let key = fresh_key("forgotten");
    let mut lock = bed.lock(&key).await;
    for polls in 1..5 {
        forget(lock.acquire(Wait::Forever), polls).await;
        lock.close().await.unwrap();
        settled(&bed, &mut lock, &key, 0).await;
        let guard = lock.lock().await.unwrap();
        forget(guard.release(), polls).await;
        lock.close().await.unwrap();
        settled(&bed, &mut lock, &key, 0).await;
    }
    forget(lock.acquire(Wait::Forever), 2).await;
    drop(lock);
    until(&bed, &key, (0, 0), B::FORGETS).await;
}

async fn forget<T, E: fmt::Debug>(call: impl Future<Output = Result<T, E>>, polls: usize) {
    let mut call = Box::pin(call);
    polled(call.as_mut(), polls).await.transpose().unwrap();
    mem::forget(call);
}

/// The session is killed while its wait is dropped.
pub async fn every_poll_killed<B: Bed>(bed: B) {
    let key = fresh_key("drop-killed");
    for polls in 1..5 {
        let (mut holder, mut lock) = (bed.lock(&key).await, bed.lock(&key).await);
        assert!(holder.acquire(Wait::No).await.unwrap());
        let kill = async {
            let waiting = until_waiting(&bed, &key, 1);
            drop(tokio::time::timeout(Duration::from_millis(30), waiting).await);
            bed.kill(&key).await;
        };
        let (answer, ()) = join(polled(lock.acquire(Wait::Forever), polls), kill).await;
        until(&bed, &key, (0, 0), Duration::from_secs(5)).await;
        match answer {
            // The holder may be ended first, and the key handed over before its next holder ends too.
            Some(Ok(granted)) => assert!(granted && lock.release().await.is_err()),
            _ => assert!(!lock.is_locked()),
        }
    }
}

/// A wait is dropped 500 times, somewhere around its grant.
pub async fn random<B: Bed>(bed: B) {
    let key = fresh_key("drop-random");
    let (mut holder, mut lock) = (bed.lock(&key).await, bed.lock(&key).await);
    let mut random = Lcg(u64::from(std::process::id()));
    for round in 0..500 {
        assert!(holder.acquire(Duration::from_secs(3)).await.unwrap(), "round {round}");
        let (pause, limit) = (random.below_micros(2000), random.below_micros(4000));
        let release = async {
            tokio::time::sleep(pause).await;
            holder.release().await.unwrap();
        };
        let wait = if round % 2 == 0 { Wait::Forever } else { Wait::For(Duration::from_secs(9)) };
        let (answer, ()) = join(tokio::time::timeout(limit, lock.acquire(wait)), release).await;
        match answer {
            Ok(granted) => {
                assert!(granted.unwrap());
                lock.release().await.unwrap();
            }
            Err(_) => lock.close().await.unwrap(),
        }
        answers(&bed, &mut lock, &key, round).await;
    }
    until(&bed, &key, (0, 0), B::FORGETS).await;
}

/// Knuth's numbers: enough to be somewhere else each time.
struct Lcg(u64);

impl Lcg {
    fn below_micros(&mut self, limit: u64) -> Duration {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        Duration::from_micros((self.0 >> 33) % limit)
    }
}

/// A dropped guard releases, and the lock goes on.
pub async fn guard<B: Bed>(bed: B) {
    let key = fresh_key("drop-guard");
    let mut lock = bed.lock(&key).await;
    for _ in 0..20 {
        drop(lock.lock().await.unwrap());
        settled(&bed, &mut lock, &key, 0).await;
        drop(lock.lock().await.unwrap());
        // The next call does not need to be told to wait for that.
        assert!(lock.acquire(Wait::No).await.unwrap());
        lock.release().await.unwrap();
    }
}

/// A guard dropped on a thread that knows no runtime releases.
pub async fn guard_off_the_runtime<B: Bed>(bed: B) {
    let key = fresh_key("drop-thread");
    let guard = bed.lock(&key).await.lock_owned().await.unwrap();
    thread::spawn(move || drop(guard)).join().unwrap();
    until(&bed, &key, (0, 0), B::FORGETS).await;
}

/// A guard dropped by a panic releases, on a runtime and off it.
pub async fn guard_in_a_panic<B: Bed>(bed: B) {
    let key = fresh_key("drop-panic");
    let guard = bed.lock(&key).await.lock_owned().await.unwrap();
    let panic = thread::spawn(move || {
        let _guard = guard;
        resume_unwind(Box::new("on purpose"));
    });
    assert!(panic.join().is_err());
    until(&bed, &key, (0, 0), B::FORGETS).await;
    let guard = bed.lock(&key).await.lock_owned().await.unwrap();
    let panic = tokio::spawn(async move {
        let _guard = guard;
        resume_unwind(Box::new("on purpose"));
    });
    assert!(panic.await.unwrap_err().is_panic());
    until(&bed, &key, (0, 0), B::FORGETS).await;
}

/// A dropped lock releases; one that is dropped with its wait leaves nobody waiting.
pub async fn lock<B: Bed>(bed: B) {
    let key = fresh_key("drop-lock");
    let mut lock = bed.lock(&key).await;
    assert!(lock.acquire(Wait::No).await.unwrap());
    drop(lock);
    until(&bed, &key, (0, 0), B::FORGETS).await;
    let (mut holder, mut lock) = (bed.lock(&key).await, bed.lock(&key).await);
    assert!(holder.acquire(Wait::No).await.unwrap());
    let wait = async {
        drop(tokio::time::timeout(Duration::from_millis(100), lock.acquire(Wait::Forever)).await);
    };
    join(wait, until_waiting(&bed, &key, 1)).await;
    drop(lock);
    until(&bed, &key, (1, 0), B::FORGETS).await;
    holder.release().await.unwrap();
}

/// A statement of the caller's on the lock's own session is dropped: the release still gets its own
/// answer, or the session is ended.
pub async fn callers_statement<B: Bed>(bed: B) {
    let key = fresh_key("drop-statement");
    let mut lock = bed.lock(&key).await;
    for polls in 0..6 {
        let mut guard = lock.lock().await.unwrap();
        drop(polled(B::echo(guard.session(), 1), polls).await);
        let released = guard.release().await;
        until(&bed, &key, (0, 0), B::FORGETS).await;
        assert!(released.is_ok() || lock.session().is_none(), "{released:?}");
        answers(&bed, &mut lock, &key, 2).await;
    }
}
