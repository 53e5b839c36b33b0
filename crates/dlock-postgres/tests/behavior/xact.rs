//! Locks that belong to the caller's transaction.

use crate::eye::{Eye, connect, holder, show};
use dlock_core::Wait;
use dlock_postgres::{Error, Lock, XactLock};
use dlock_testkit::polled::polled;
use futures::future::join;
use std::time::{Duration, Instant};

const WAITS: [Wait; 3] = [Wait::No, Wait::For(Duration::from_secs(1)), Wait::Forever];
const LIMITS: &str = "SELECT current_setting('lock_timeout') || ' ' || \
                      current_setting('statement_timeout')";

/// Freed by commit, by rollback and by the drop of the transaction; not by that of the lock.
#[tokio::test]
async fn freed_by_the_end_of_the_transaction() {
    let (mut client, eye) = (connect().await, Eye::open().await);
    for wait in WAITS {
        for end in 0..3 {
            let transaction = client.transaction().await.unwrap();
            let mut lock = XactLock::new(&transaction, "end").unwrap();
            assert!(lock.acquire(wait).await.unwrap());
            assert!(lock.is_locked());
            drop(lock);
            assert_eq!(eye.sees("end").await, (1, 0));
            match end {
                0 => transaction.commit().await.unwrap(),
                1 => transaction.rollback().await.unwrap(),
                _ => drop(transaction),
            }
            eye.until("end", (0, 0)).await;
        }
    }
}

/// A time-out is exact, costs the transaction nothing, and leaves its limits as they were.
#[tokio::test]
async fn a_time_out_leaves_the_transaction_usable() {
    let (mut holder, mut client) = (holder("xact-out").await, connect().await);
    let transaction = client.transaction().await.unwrap();
    transaction.batch_execute("CREATE TEMP TABLE t ON COMMIT DROP AS SELECT 1").await.unwrap();
    transaction
        .batch_execute("SET LOCAL lock_timeout = 777; SET statement_timeout = 888")
        .await
        .unwrap();
    let mut lock = XactLock::new(&transaction, "xact-out").unwrap();
    for millis in [1, 50, 300] {
        let (limit, start) = (Duration::from_millis(millis), Instant::now());
        assert!(!lock.acquire(limit).await.unwrap());
        assert!(start.elapsed() >= limit);
        assert!(matches!(lock.lock_within(limit).await, Err(Error::TimedOut)));
    }
    assert!(!lock.try_lock().await.unwrap());
    assert_eq!(show(transaction.client(), LIMITS).await, "777ms 888ms");
    holder.release().await.unwrap();
    lock.lock().await.unwrap();
    assert_eq!(show(transaction.client(), LIMITS).await, "777ms 888ms");
    assert_eq!(show(transaction.client(), "SELECT count(*) FROM t").await, "1");
    transaction.commit().await.unwrap();
    assert_eq!(show(&client, LIMITS).await, "0 888ms");
}

/// For ever outlasts the limits of the session.
#[tokio::test]
async fn for_ever() {
    let (mut holder, mut client) = (holder("xact-ever").await, connect().await);
    client.batch_execute("SET lock_timeout = 100; SET statement_timeout = 100").await.unwrap();
    let transaction = client.transaction().await.unwrap();
    let mut lock = XactLock::new(&transaction, "xact-ever").unwrap();
    let release = async {
        tokio::time::sleep(Duration::from_millis(400)).await;
        holder.release().await.unwrap();
    };
    join(lock.lock(), release).await.0.unwrap();
    transaction.commit().await.unwrap();
}

/// A dropped wait is cancelled, and a grant that came first is undone.
#[tokio::test]
async fn a_dropped_wait_leaves_the_transaction_usable() {
    let (mut holder, mut client) = (holder("xact-drop").await, connect().await);
    let eye = Eye::open().await;
    client.batch_execute("SET lock_timeout = 4321").await.unwrap();
    let transaction = client.transaction().await.unwrap();
    let mut lock = XactLock::new(&transaction, "xact-drop").unwrap();
    for wait in [Wait::Forever, Wait::For(Duration::from_secs(9))] {
        for millis in [0, 1, 5, 30] {
            let limit = Duration::from_millis(millis);
            assert!(tokio::time::timeout(limit, lock.acquire(wait)).await.is_err());
            eye.until("xact-drop", (1, 0)).await;
            assert_eq!(show(transaction.client(), "SELECT 77").await, "77");
            assert_eq!(show(transaction.client(), "SHOW lock_timeout").await, "4321ms");
        }
    }
    holder.release().await.unwrap();
    for polls in 0.. {
        if let Some(answer) = polled(lock.acquire(Wait::Forever), polls).await {
            assert!(answer.unwrap());
            break;
        }
        eye.until("xact-drop", (0, 0)).await;
        assert!(!lock.is_locked());
    }
    transaction.commit().await.unwrap();
}

/// Dropped around the grant, two hundred times, in one transaction.
#[tokio::test]
async fn random_drops() {
    let (mut holder, mut client, eye) =
        (holder("xact-random").await, connect().await, Eye::open().await);
    let transaction = client.transaction().await.unwrap();
    for round in 0..200_u64 {
        let mut lock = XactLock::new(&transaction, "xact-random").unwrap();
        let release = async {
            tokio::time::sleep(Duration::from_micros(round * 13 % 900)).await;
            holder.release().await.unwrap();
        };
        let limit = Duration::from_micros(round * 29 % 1700);
        let (answer, ()) = join(tokio::time::timeout(limit, lock.lock()), release).await;
        assert_eq!(show(transaction.client(), "SELECT 78").await, "78");
        if answer.is_ok() {
            break;
        }
        assert!(holder.acquire(Duration::from_secs(2)).await.unwrap(), "round {round}");
    }
    transaction.commit().await.unwrap();
    holder.close().await.unwrap();
    eye.until("xact-random", (0, 0)).await;
}

/// Re-entry is refused, though the first lock object is gone, and though the session holds it.
#[tokio::test]
async fn reentry() {
    let (mut client, eye) = (connect().await, Eye::open().await);
    let transaction = client.transaction().await.unwrap();
    assert!(XactLock::new(&transaction, "xact-re").unwrap().try_lock().await.unwrap());
    for wait in WAITS {
        let mut other = XactLock::new(&transaction, "xact-re").unwrap();
        assert!(matches!(other.acquire(wait).await, Err(Error::AlreadyHeld)));
        let mut other = other.shared();
        assert!(matches!(other.acquire(wait).await, Err(Error::AlreadyHeld)));
    }
    let mut session = Lock::new(transaction.client(), "xact-re-session").unwrap();
    assert!(session.acquire(Wait::No).await.unwrap());
    let mut other = XactLock::new(&transaction, "xact-re-session").unwrap();
    assert!(matches!(other.lock().await, Err(Error::AlreadyHeld)));
    session.release().await.unwrap();
    drop(session);
    other.lock().await.unwrap();
    transaction.commit().await.unwrap();
    assert_eq!(eye.sees("xact-re").await, (0, 0));
}

/// Two locks in one transaction; shared ones stand together.
#[tokio::test]
async fn two_in_one_and_shared() {
    let (mut one, mut two, eye) = (connect().await, connect().await, Eye::open().await);
    let (one, two) = (one.transaction().await.unwrap(), two.transaction().await.unwrap());
    XactLock::new(&one, (1, 2)).unwrap().lock().await.unwrap();
    XactLock::new(&one, 12).unwrap().shared().lock().await.unwrap();
    assert!(!XactLock::new(&two, (1, 2)).unwrap().try_lock().await.unwrap());
    assert!(!XactLock::new(&two, 12).unwrap().try_lock().await.unwrap());
    XactLock::new(&two, 12).unwrap().shared().lock().await.unwrap();
    assert_eq!(eye.sees(12).await, (2, 0));
    one.commit().await.unwrap();
    assert!(XactLock::new(&two, (1, 2)).unwrap().try_lock().await.unwrap());
    two.commit().await.unwrap();
}

/// A deadlock leaves the victim's transaction, and what it held, as they were.
#[tokio::test]
async fn deadlock() {
    let (mut one, mut two, eye) = (connect().await, connect().await, Eye::open().await);
    let (one, two) = (one.transaction().await.unwrap(), two.transaction().await.unwrap());
    XactLock::new(&one, "dead-a").unwrap().lock().await.unwrap();
    XactLock::new(&two, "dead-b").unwrap().lock().await.unwrap();
    let first = async {
        let answer = XactLock::new(&one, "dead-b").unwrap().lock().await;
        let answer_is_deadlock = matches!(answer, Err(Error::Deadlock(Some(_))));
        assert_eq!(show(one.client(), "SELECT 1").await, "1");
        assert_eq!(eye.sees("dead-a").await.0, 1);
        one.rollback().await.unwrap();
        answer_is_deadlock
    };
    let second = async {
        Eye::open().await.until("dead-b", (1, 1)).await;
        XactLock::new(&two, "dead-a").unwrap().lock().await
    };
    let (is_victim, survivor) = join(first, second).await;
    assert!(is_victim);
    survivor.unwrap();
    two.commit().await.unwrap();
}

/// In a transaction that was aborted before, the error is the server's own.
#[tokio::test]
async fn aborted_before() {
    let mut client = connect().await;
    let transaction = client.transaction().await.unwrap();
    transaction.batch_execute("SELECT 1/0").await.unwrap_err();
    let mut lock = XactLock::new(&transaction, "xact-aborted").unwrap();
    for wait in WAITS {
        assert!(matches!(lock.acquire(wait).await, Err(Error::Driver(_))));
        assert!(!lock.is_locked());
    }
    transaction.rollback().await.unwrap();
    assert_eq!(show(&client, "SELECT 5").await, "5");
}

/// What the caller says while a wait is on the wire stays, though the wait runs out.
#[tokio::test]
async fn a_wait_that_runs_out_undoes_nothing_of_others() {
    let (_holder, mut client) = (holder("xact-beside").await, connect().await);
    let transaction = client.transaction().await.unwrap();
    transaction.batch_execute("CREATE TEMP TABLE beside (n int) ON COMMIT DROP").await.unwrap();
    let mut lock = XactLock::new(&transaction, "xact-beside").unwrap();
    for number in 1..=5i64 {
        let insert = async {
            // By then the wait is on the wire.
            tokio::time::sleep(Duration::from_millis(20)).await;
            transaction.batch_execute("INSERT INTO beside VALUES (1)").await
        };
        let (granted, inserted) = join(lock.acquire(Duration::from_millis(60)), insert).await;
        assert!(!granted.unwrap());
        inserted.unwrap();
        let count = transaction.query_one("SELECT count(*) FROM beside", &[]).await.unwrap();
        assert_eq!(count.get::<_, i64>(0), number);
    }
    transaction.commit().await.unwrap();
}

/// Of two waits in one transaction one runs out while the other is granted: what is told is so.
#[tokio::test]
async fn two_waits_of_one_transaction() {
    let (eye, mut client) = (Eye::open().await, connect().await);
    let _out = holder("xact-two-out").await;
    for millis in [0, 20, 40, 60, 80] {
        let holder = holder("xact-two").await;
        let transaction = client.transaction().await.unwrap();
        transaction.batch_execute("SET LOCAL lock_timeout = 777").await.unwrap();
        let before = show(transaction.client(), LIMITS).await;
        let mut out = XactLock::new(&transaction, "xact-two-out").unwrap();
        let mut lock = XactLock::new(&transaction, "xact-two").unwrap();
        let free = async {
            tokio::time::sleep(Duration::from_millis(millis)).await;
            drop(holder);
        };
        let (refused, (granted, ())) =
            join(out.acquire(Duration::from_millis(60)), join(lock.acquire(Wait::Forever), free))
                .await;
        assert!(!refused.unwrap());
        assert!(granted.unwrap() && lock.is_locked());
        assert_eq!(eye.sees("xact-two").await, (1, 0), "{millis} ms");
        assert_eq!(show(transaction.client(), LIMITS).await, before);
        transaction.commit().await.unwrap();
    }
}

/// A wait that is dropped, whenever that is, takes nothing from another lock of its transaction.
#[tokio::test]
async fn a_dropped_wait_beside_a_try() {
    let (eye, mut client) = (Eye::open().await, connect().await);
    let _holder = holder("xact-sibling").await;
    for (polls, tried) in [(1, 1), (1, 2), (2, 1), (3, 2), (4, 1), (5, 3)] {
        let transaction = client.transaction().await.unwrap();
        transaction.batch_execute("SET LOCAL lock_timeout = 777").await.unwrap();
        let before = show(transaction.client(), LIMITS).await;
        let mut waiting = XactLock::new(&transaction, "xact-sibling").unwrap();
        let mut wait = Box::pin(waiting.lock());
        assert!(polled(&mut wait, polls).await.is_none());
        let mut lock = XactLock::new(&transaction, "xact-sibling-free").unwrap();
        let mut attempt = Box::pin(lock.acquire(Wait::No));
        let answer = polled(&mut attempt, tried).await;
        drop(wait);
        drop(waiting);
        let granted = match answer {
            Some(answer) => answer,
            None => attempt.as_mut().await,
        };
        drop(attempt);
        assert!(granted.unwrap() && lock.is_locked());
        assert_eq!(eye.sees("xact-sibling-free").await, (1, 0), "after {polls} and {tried}");
        assert_eq!(show(transaction.client(), LIMITS).await, before);
        transaction.commit().await.unwrap();
    }
}

/// Three locks of one transaction at once, each tried, waited for, or dropped within milliseconds, while a holder
/// comes and goes: what says that it is held is held, and nothing else is.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_at_random() {
    let (eye, mut client) = (Eye::open().await, connect().await);
    let random = |below: u64| Duration::from_millis(fastrand::u64(0..below));
    for round in 0..30 {
        let keys = [0, 1, 2].map(|number| format!("xact-three-{number}"));
        let mut holder = holder(keys[fastrand::usize(0..3)].as_str()).await;
        let transaction = client.transaction().await.unwrap();
        let mut locks =
            keys.each_ref().map(|key| XactLock::new(&transaction, key.as_str()).unwrap());
        let calls = locks.iter_mut().map(|lock| async move {
            tokio::time::sleep(random(20)).await;
            let wait = [Wait::No, Wait::For(random(40)), Wait::Forever][fastrand::usize(0..3)];
            let call = tokio::time::timeout(random(1_500), lock.acquire(wait)).await;
            call.is_err() || call.unwrap().is_ok()
        });
        let free = async {
            tokio::time::sleep(random(60)).await;
            holder.release().await.unwrap();
        };
        let (calls, ()) = join(futures::future::join_all(calls), free).await;
        assert!(calls.iter().all(|it| *it));
        for (lock, key) in locks.iter_mut().zip(&keys) {
            if !lock.is_locked() {
                // What was dropped is undone behind this.
                show(transaction.client(), "SELECT 1").await;
            }
            assert_eq!(eye.sees(key).await, (i64::from(lock.is_locked()), 0), "{round}: {key}");
        }
        drop(locks);
        transaction.commit().await.unwrap();
    }
}

/// A wait that is in flight and not polled keeps its savepoint open: what another lock would be granted inside,
/// the end of that could undo.
#[tokio::test]
async fn a_parked_wait_beside_a_try() {
    let mut client = connect().await;
    let _holder = holder("xact-parked").await;
    let transaction = client.transaction().await.unwrap();
    let mut waiting = XactLock::new(&transaction, "xact-parked").unwrap();
    let mut wait = Box::pin(waiting.lock());
    let _ = tokio::time::timeout(Duration::from_millis(100), &mut wait).await;
    let mut lock = XactLock::new(&transaction, "xact-parked-free").unwrap();
    let refused = lock.acquire(Wait::No).await;
    assert!(matches!(refused, Err(Error::Refused { .. })), "{refused:?}");
    drop(wait);
    drop(waiting);
    assert!(lock.acquire(Wait::No).await.unwrap());
}
