use crate::{in_time, ms, processes};
use dlock_locks::{Error, LostReason};
use std::future::pending;
use std::time::{Duration, Instant};

#[tokio::test]
async fn a_kill_is_told_at_once_and_to_all_and_only_those_of_the_session() {
    let (database, [one, other]) = processes();
    let mine = [one.lock("a").await.expect("a lock"), one.lock("b").await.expect("a lock")];
    let theirs = other.lock("c").await.expect("a lock");
    let begun = Instant::now();
    database.kill("a");
    for held in &mine {
        assert_eq!(in_time(held.lost()).await.reason(), LostReason::SessionEnded);
        assert!(held.is_lost() && held.cancelled().is_cancelled());
        assert_eq!(held.trusted_for(), Some(Duration::ZERO));
    }
    assert!(begun.elapsed() < ms(50), "{:?}", begun.elapsed());
    assert!(!theirs.is_lost());
    for held in mine {
        assert!(matches!(held.release().await, Err(Error::Lost(_))));
    }
    drop(in_time(one.lock("a")).await.expect("a lock on a new session"));
}

#[tokio::test]
async fn work_is_dropped_when_its_lock_is_lost() {
    let (database, [one]) = processes();
    let held = one.lock("k").await.expect("a lock");
    let work = held.run_until_lost(pending::<()>());
    let (lost, ()) = in_time(async { tokio::join!(work, async { database.kill("k") }) }).await;
    assert_eq!(lost.expect_err("it was lost").key(), "k");
}

/// The server hears nothing of its holder, and gives the key away when the lease is over: the holder knew
/// before.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_holder_knows_before_another_holds() {
    for round in 0..3 {
        let (database, [one, other]) = processes();
        let held = one.lock("k").await.expect("a lock");
        tokio::time::sleep(ms(300 * round)).await;
        database.silence("k");
        let watch = tokio::spawn(async move { (held.lost().await, Instant::now()) });
        let next = in_time(other.lock("k")).await.expect("a lock");
        let granted = Instant::now();
        let (lost, told) = in_time(watch).await.expect("no panic");
        assert_eq!(lost.reason(), LostReason::Silent);
        assert!(told + ms(100) < granted, "{:?}", granted - told);
        next.release().await.expect("a release");
    }
}

/// A server that stood still for longer than the lease gives the key away when it goes on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frozen_server_is_not_trusted() {
    let (database, [one, other]) = processes();
    let held = one.lock("k").await.expect("a lock");
    let next =
        tokio::spawn(async move { other.lock("k").await.map(|held| (held, Instant::now())) });
    while database.waiters("k") == 0 {
        tokio::time::sleep(ms(1)).await;
    }
    database.freeze();
    let lost = in_time(held.lost()).await;
    assert_eq!((lost.reason(), held.is_lost()), (LostReason::Silent, true));
    let thawed = Instant::now();
    database.thaw();
    let (next, granted) = in_time(next).await.expect("no panic").expect("a lock");
    assert!(granted >= thawed && !next.is_lost());
}

/// A lock is kept for as long as the server answers.
#[tokio::test]
async fn pings_keep_a_lock() {
    let (_database, [one]) = processes();
    let held = one.lock("k").await.expect("a lock");
    let trusted = held.run_until_lost(tokio::time::sleep(ms(5000))).await;
    trusted.expect("it is held");
    assert!(held.trusted_for() > Some(ms(1500)), "{:?}", held.trusted_for());
    held.release().await.expect("a release");
}

/// A token is the caller's to cancel: a usual way to end one's own work.
#[tokio::test]
async fn a_token_that_the_caller_cancels_loses_nothing() {
    let (database, [one]) = processes();
    let held = one.lock("k").await.expect("a lock");
    held.cancelled().cancel();
    assert_eq!(held.run_until_lost(async { 7 }).await.expect("it is held"), 7);
    assert!(tokio::time::timeout(ms(20), held.lost()).await.is_err(), "it is held");
    assert!(!held.cancelled().is_cancelled());
    let seen = held.cancelled();
    database.kill("k");
    in_time(seen.cancelled()).await;
}

/// While the next holder waits for a fenced transaction of the one before.
#[tokio::test]
async fn a_close_ends_a_wait_for_fenced_transactions() {
    let (database, [one, other]) = processes();
    let mut connection = database.connection();
    let held = one.key("k").expect("a key").fenced().lock().await.expect("a lock");
    let transaction = in_time(held.begin(&mut connection)).await.expect("it is fenced");
    held.release().await.expect("a release");
    let request = other.key("k").expect("a key").fenced();
    let waits = tokio::spawn(async move { request.lock().await.map(drop) });
    // It holds the key by then, and stands behind the transaction.
    in_time(until_held_by_nobody_else(&one)).await;
    let begun = Instant::now();
    in_time(other.close()).await;
    assert!(matches!(in_time(waits).await.expect("no panic"), Err(Error::Closed)));
    // The raise is answered after a third of the lease at most.
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    transaction.rollback().await.expect("an answer");
    drop(in_time(one.lock("k")).await.expect("nobody has it"));
}

async fn until_held_by_nobody_else(one: &dlock_memory::Locks) {
    while one.try_lock("k").await.expect("an answer").is_some() {
        tokio::time::sleep(ms(1)).await;
    }
}
