use crate::traced::Traced;
use crate::{in_time, ms};
use dlock_db::memory::Database;

const SAID: &str = "waits for a key that it holds itself";

/// Only where it would wait for itself, and only if it waits.
#[tokio::test]
async fn a_task_that_waits_for_what_it_holds_is_warned() {
    let (traced, locks) = (Traced::get(), Database::new().locks());
    let task = tokio::spawn({
        let locks = locks.clone();
        async move {
            let held = locks.lock("itself:1").await.expect("a lock");
            assert!(locks.try_lock("itself:1").await.expect("an answer").is_none());
            assert!(traced.of(SAID, "itself:1").is_empty(), "a try is answered");
            locks.lock_within("itself:1", ms(50)).await.expect_err("it holds it");
            held
        }
    });
    let held = in_time(task).await.expect("no panic");
    let warnings = traced.of(SAID, "itself:1");
    assert!(warnings.len() == 1 && warnings[0].contains("WARN"), "{warnings:?}");
    let other = tokio::spawn(async move { locks.lock_within("itself:1", ms(50)).await.map(drop) });
    in_time(other).await.expect("no panic").expect_err("another holds it");
    assert_eq!(traced.of(SAID, "itself:1").len(), 1, "another task may wait");
    drop(held);
}

#[tokio::test]
async fn readers_do_not_wait_for_each_other() {
    let (traced, locks) = (Traced::get(), Database::new().locks());
    let task = tokio::spawn(async move {
        let shared = locks.key("itself:2").expect("a key").shared();
        let _both = [shared.lock().await.expect("a lock"), shared.lock().await.expect("a lock")];
        locks.lock_within("itself:2", ms(50)).await.expect_err("it reads it");
    });
    in_time(task).await.expect("no panic");
    assert_eq!(traced.of(SAID, "itself:2").len(), 1, "of the writer");
}
