use super::{bounded, client, fresh, lock, until};
use crate::server::{integer, run};
use dlock_core::{Error, Wait};
use dlock_mssql::{Lock, Mode, XactLock};
use std::time::Duration;

const TRANSACTIONS: &str = "SELECT @@TRANCOUNT";

#[tokio::test]
async fn commit_rollback_and_the_end_of_the_session_free() {
    bounded(async {
        let key = fresh("xact-end");
        let mut other = lock(&key).await;
        for end in ["COMMIT", "ROLLBACK", "drop"] {
            let mut one = client().await;
            one.begin_transaction().await.unwrap();
            let mut held = XactLock::new(&mut one, key.as_str()).unwrap();
            assert!(!held.is_locked());
            held.lock().await.unwrap();
            assert!(held.is_locked());
            drop(held);
            assert!(!other.acquire(Wait::No).await.unwrap(), "it outlives its object");
            match end {
                "COMMIT" => one.commit_transaction().await.unwrap(),
                "ROLLBACK" => one.rollback_transaction().await.unwrap(),
                _ => drop(one),
            }
            assert!(other.acquire(Duration::from_secs(5)).await.unwrap(), "after {end}");
            other.release().await.unwrap();
        }
    })
    .await;
}

/// What the transaction held before the savepoint it holds still.
#[tokio::test]
async fn a_rollback_to_a_savepoint_frees_what_was_acquired_since() {
    bounded(async {
        let (before, since) = (fresh("xact-before"), fresh("xact-since"));
        let (mut one, mut other) = (client().await, lock(&since).await);
        let mut observer = client().await;
        one.begin_transaction().await.unwrap();
        XactLock::new(&mut one, before.as_str()).unwrap().lock().await.unwrap();
        one.save_transaction("here").await.unwrap();
        XactLock::new(&mut one, since.as_str()).unwrap().lock().await.unwrap();
        assert!(!other.acquire(Wait::No).await.unwrap());
        run(&mut one, "ROLLBACK TRANSACTION here").await;
        until(&mut observer, &since, (0, 0)).await;
        until(&mut observer, &before, (1, 0)).await;
        assert!(XactLock::new(&mut one, since.as_str()).unwrap().try_lock().await.unwrap());
        one.commit_transaction().await.unwrap();
        until(&mut observer, &before, (0, 0)).await;
    })
    .await;
}

#[tokio::test]
async fn without_a_transaction_it_is_refused() {
    bounded(async {
        let key = fresh("xact-none");
        let (mut one, mut other) = (client().await, lock(&key).await);
        let mut held = XactLock::new(&mut one, key.as_str()).unwrap();
        let answer = held.try_lock().await;
        let Err(Error::Refused { code: -999, meaning }) = answer else {
            panic!("{answer:?}");
        };
        assert!(meaning.contains("transaction"), "{meaning}");
        assert!(!held.is_locked());
        drop(held);
        assert!(other.acquire(Wait::No).await.unwrap());
        run(&mut one, "BEGIN TRANSACTION").await;
        let mut held = XactLock::new(&mut one, key.as_str()).unwrap();
        assert!(!held.try_lock().await.unwrap());
        other.release().await.unwrap();
        assert!(held.try_lock().await.unwrap());
    })
    .await;
}

#[tokio::test]
async fn modes_hold_for_transactions_too() {
    bounded(async {
        let key = fresh("xact-modes");
        let (mut one, mut two) = (client().await, client().await);
        one.begin_transaction().await.unwrap();
        two.begin_transaction().await.unwrap();
        let mut update = XactLock::new(&mut one, key.as_str()).unwrap().update();
        let mut shared = XactLock::new(&mut two, key.as_str()).unwrap().shared();
        assert_eq!((update.mode(), shared.mode()), (Mode::Update, Mode::Shared));
        update.lock().await.unwrap();
        shared.lock_within(Duration::from_secs(5)).await.unwrap();
        let mut third = lock(&key).await.update();
        assert!(!third.acquire(Wait::No).await.unwrap());
    })
    .await;
}

#[tokio::test]
async fn what_fails_leaves_the_transaction_and_its_settings() {
    bounded(async {
        let (key, free) = (fresh("xact-usable"), fresh("xact-second"));
        let (mut one, mut holder) = (client().await, lock(&key).await);
        holder.acquire(Wait::No).await.unwrap();
        run(&mut one, "SET LOCK_TIMEOUT 4321").await;
        one.begin_transaction().await.unwrap();
        let mut refused = XactLock::new(&mut one, key.as_str()).unwrap();
        assert!(!refused.try_lock().await.unwrap());
        let answer = refused.lock_within(Duration::from_millis(60)).await;
        assert!(matches!(answer, Err(Error::TimedOut)));
        drop(refused);
        XactLock::new(&mut one, free.as_str()).unwrap().lock().await.unwrap();
        assert_eq!(integer(&mut one, TRANSACTIONS).await, 1);
        assert_eq!(integer(&mut one, "SELECT @@LOCK_TIMEOUT").await, 4321);
        holder.release().await.unwrap();
        XactLock::new(&mut one, key.as_str()).unwrap().lock().await.unwrap();
        let mut observer = client().await;
        until(&mut observer, &key, (1, 0)).await;
        until(&mut observer, &free, (1, 0)).await;
        one.rollback_transaction().await.unwrap();
        until(&mut observer, &key, (0, 0)).await;
        until(&mut observer, &free, (0, 0)).await;
    })
    .await;
}

#[tokio::test]
async fn a_session_lock_taken_in_a_transaction_outlives_it() {
    bounded(async {
        let key = fresh("xact-session");
        let mut other = lock(&key).await;
        for end in ["COMMIT", "ROLLBACK"] {
            let mut one = lock(&key).await;
            run(one.session().unwrap(), "BEGIN TRANSACTION").await;
            assert!(one.acquire(Wait::No).await.unwrap());
            run(one.session().unwrap(), end).await;
            assert!(one.is_locked());
            assert!(!other.acquire(Wait::No).await.unwrap(), "after {end}");
            one.release().await.unwrap();
            assert!(other.acquire(Wait::No).await.unwrap());
            other.release().await.unwrap();
        }
    })
    .await;
}

#[tokio::test]
async fn a_release_inside_a_transaction_releases() {
    bounded(async {
        let key = fresh("xact-release");
        let (mut one, mut other) = (lock(&key).await, lock(&key).await);
        let mut guard = one.lock().await.unwrap();
        guard.session().begin_transaction().await.unwrap();
        guard.release().await.unwrap();
        assert!(other.acquire(Wait::No).await.unwrap());
        assert_eq!(integer(one.session().unwrap(), TRANSACTIONS).await, 1);
        other.release().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn session_and_transaction_do_not_enter_each_others_locks() {
    bounded(async {
        let key = fresh("xact-reentry");
        let mut one = lock(&key).await;
        let mut guard = one.lock().await.unwrap();
        run(guard.session(), "BEGIN TRANSACTION").await;
        let mut inner = XactLock::new(guard.session(), key.as_str()).unwrap();
        assert!(matches!(inner.lock().await, Err(Error::AlreadyHeld)));
        drop(inner);
        guard.release().await.unwrap();
        let mut held = XactLock::new(one.session().unwrap(), key.as_str()).unwrap();
        held.lock().await.unwrap();
        drop(held);
        let mut again = XactLock::new(one.session().unwrap(), key.as_str()).unwrap().shared();
        assert!(matches!(again.try_lock().await, Err(Error::AlreadyHeld)));
        drop(again);
        assert!(matches!(one.acquire(Wait::No).await, Err(Error::AlreadyHeld)));
        run(one.session().unwrap(), "COMMIT").await;
        assert!(one.acquire(Wait::No).await.unwrap());
        one.release().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_deadlock_of_transactions_leaves_both_usable() {
    bounded(async {
        let (a, b) = (fresh("xact-a"), fresh("xact-b"));
        let (mut one, mut two) = (client().await, client().await);
        one.begin_transaction().await.unwrap();
        two.begin_transaction().await.unwrap();
        XactLock::new(&mut one, a.as_str()).unwrap().lock().await.unwrap();
        XactLock::new(&mut two, b.as_str()).unwrap().lock().await.unwrap();
        let cross = async |client: &mut crate::server::Tcp, key: &str| {
            let answer = XactLock::new(&mut *client, key).unwrap().lock().await;
            assert_eq!(integer(client, TRANSACTIONS).await, 1);
            client.rollback_transaction().await.unwrap();
            matches!(answer, Err(Error::Deadlock(_)))
        };
        let (first, second) = tokio::join!(cross(&mut one, &b), cross(&mut two, &a));
        assert!(first ^ second, "one victim: {first} {second}");
        let mut other = Lock::new(client().await, a.as_str()).unwrap();
        assert!(other.acquire(Wait::No).await.unwrap());
    })
    .await;
}
