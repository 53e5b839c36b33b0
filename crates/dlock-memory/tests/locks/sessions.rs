use crate::{in_time, ms};
use dlock_memory::{Database, Locks};
use std::time::Duration;
use tokio::task::JoinSet;

fn few(database: &Database) -> Locks {
    let builder = database.builder().lease(Duration::from_secs(3)).max_waiting(2);
    builder.build().expect("a thread")
}

/// More keys are waited for than there are sessions to wait on, and all of them are granted in the end.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_session_waits_and_nobody_hangs() {
    let database = Database::new();
    let (one, other) = (few(&database), few(&database));
    let mut holds = Vec::new();
    for key in 0..20 {
        holds.push(one.lock(format!("key {key}")).await.expect("a lock"));
    }
    let mut waits = JoinSet::new();
    for key in 0..20 {
        let locks = other.clone();
        waits.spawn(async move { locks.lock(format!("key {key}")).await.map(drop) });
    }
    while other.stats().await.expect("counts").parked < 18 {
        tokio::time::sleep(ms(1)).await;
    }
    let free = in_time(other.lock("free")).await.expect("a free key");
    assert!(other.stats().await.expect("counts").sessions <= 3);
    drop((holds, free));
    for answer in in_time(waits.join_all()).await {
        answer.expect("a lock");
    }
}

/// Keys that are held for long after a wait pin their sessions: others are opened, up to a bound.
#[tokio::test]
async fn sessions_that_hold_are_not_waited_on() {
    let database = Database::new();
    let (one, other) = (few(&database), few(&database));
    let mut kept = Vec::new();
    for key in 0..6 {
        let name = format!("key {key}");
        let held = one.lock(name.clone()).await.expect("a lock");
        let (next, ()) = tokio::join!(other.lock(name.clone()), async {
            while database.waiters(&name) == 0 {
                tokio::time::sleep(ms(1)).await;
            }
            drop(held);
        });
        kept.push(next.expect("a lock"));
    }
    let stats = other.stats().await.expect("counts");
    assert!(stats.sessions >= 7 && stats.held == 6, "{stats:?}");
}

#[tokio::test]
async fn waits_and_releases_of_different_keys_do_not_hinder_each_other() {
    let database = Database::new();
    let (one, other) = (few(&database), few(&database));
    let _held = one.lock("a").await.expect("a lock");
    let waits = tokio::spawn(async move { other.lock("a").await.map(drop) });
    for _ in 0..100 {
        let held = in_time(one.lock("b")).await.expect("a lock");
        in_time(held.release()).await.expect("a release");
    }
    assert!(!waits.is_finished());
    waits.abort();
}

/// What sessions are called is the server's to refuse.
#[tokio::test]
async fn any_name_will_do() {
    for name in ["", "a\0b", "\u{e9}\u{1f600}", "two\nlines"] {
        let locks = Database::new().builder().name(name).build().expect("a thread");
        drop(in_time(locks.lock("k")).await.expect("a lock"));
    }
}
