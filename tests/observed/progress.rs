use crate::traced::Traced;
use crate::{config, in_time, ms, postgres};
use dlock_db::{Driver, InspectDriver, KeyError, Locks, memory};
use std::time::Instant;

/// A wait of more than two seconds is told of twice by who was asked to, and says who holds.
async fn told<D>(holder: &Locks<D>, waiter: &Locks<D>, key: &'static str) -> Vec<String>
where
    D: InspectDriver<Key: TryFrom<&'static str, Error: Into<KeyError>>> + Driver,
{
    let traced = Traced::get();
    let held = in_time(holder.lock(key)).await.expect("a lock");
    let waits = tokio::spawn({
        let (waiter, request) = (waiter.clone(), waiter.key(key).expect("a key"));
        async move {
            let granted = request.lock().await.map(drop);
            drop(waiter);
            granted
        }
    });
    let begun = Instant::now();
    in_time(async {
        while traced.of("still waiting", key).len() < 2 {
            tokio::time::sleep(ms(5)).await;
        }
    })
    .await;
    assert!(begun.elapsed() >= ms(2000), "told too often: {:?}", traced.of("still waiting", key));
    in_time(held.release()).await.expect("a release");
    in_time(waits).await.expect("no panic").expect("a lock");
    traced.of("still waiting", key)
}

#[tokio::test]
async fn of_postgres() {
    let locks = |name: &str, told| {
        postgres::Locks::builder(config()).name(name).progress(told).build().expect("a thread")
    };
    let lines = told(&locks("who holds", false), &locks("who waits", true), "progress:1").await;
    for line in &lines {
        assert!(line.contains("DEBUG") && line.contains("who holds"), "{line}");
        assert!(line.contains("waiters=1") && !line.contains("who waits"), "{line}");
    }
}

#[tokio::test]
async fn of_memory() {
    let database = memory::Database::new();
    let waiter = database.builder().progress(true).build().expect("a thread");
    let lines = told(&database.locks(), &waiter, "progress:2").await;
    assert!(lines.iter().all(|line| line.contains("session ")), "{lines:?}");
}

#[tokio::test]
async fn nobody_is_told_who_did_not_ask() {
    let traced = Traced::get();
    let database = memory::Database::new();
    let (one, other) = (database.locks(), database.builder().progress(false).build());
    let held = one.lock("progress:3").await.expect("a lock");
    let waited = other.expect("a thread").lock_within("progress:3", ms(2300)).await;
    waited.expect_err("it is held");
    assert!(traced.of("still waiting", "progress:3").is_empty());
    drop(held);
}
