//! Who holds and who waits, and ending them.

use crate::{client, config, in_time, locks, ms};
use dlock_core::Wait;
use dlock_locks::{LostReason, Mode};
use dlock_postgres::{Holder, Key, Lock};
use dlock_testkit::server::Postgres;
use std::time::Duration;
use tokio_postgres::{Config, NoTls};

async fn until(mut is_so: impl AsyncFnMut() -> bool) {
    in_time(async {
        while !is_so().await {
            tokio::time::sleep(ms(10)).await;
        }
    })
    .await;
}

#[tokio::test]
async fn who_holds_and_who_waits() {
    let [one, other] = [locks(config(), "look one"), locks(config(), "look other")];
    let keys = [Key::from("look"), Key::from(i64::MIN + 7), Key::from((-7, i32::MIN))];
    for key in &keys {
        let held = in_time(one.lock(key)).await.expect("a lock");
        let waits = tokio::spawn({
            let (other, key) = (other.clone(), key.clone());
            async move { other.key(&key).expect("a key").shared().lock().await.map(drop) }
        });
        let mut seen: Vec<Holder> = Vec::new();
        until(async || {
            seen = in_time(one.holder(key)).await.expect("holders");
            seen.len() == 2
        })
        .await;
        let [holder, waiter] = seen.as_slice() else { panic!("{seen:?}") };
        assert_eq!((&holder.key, holder.mode, holder.is_waiting), (key, Mode::Exclusive, false));
        assert_eq!((&waiter.key, waiter.mode, waiter.is_waiting), (key, Mode::Shared, true));
        assert_eq!(holder.application.as_deref(), Some("look one"));
        assert_eq!(waiter.application.as_deref(), Some("look other"));
        assert_eq!(holder.user.as_deref(), config().get_user());
        assert_eq!(holder.host.as_deref(), Some("127.0.0.1"));
        assert!(holder.since.is_some() && waiter.since < Some(Duration::from_secs(5)), "{seen:?}");
        held.release().await.expect("a release");
        in_time(waits).await.expect("no panic").expect("a lock");
    }
}

/// A name that this process knows is what the key is called.
#[tokio::test]
async fn a_key_is_called_by_its_name() {
    let locks = locks(config(), "look name");
    let held = in_time(locks.lock("look by name")).await.expect("a lock");
    let holders = in_time(locks.holders()).await.expect("holders");
    let ours = holders.iter().find(|it| it.application.as_deref() == Some("look name"));
    assert!(
        ours.expect("it is there").key.to_string().starts_with("look by name ("),
        "{holders:?}"
    );
    held.release().await.expect("a release");
}

/// Another database's keys are others.
#[tokio::test]
async fn another_database_is_not_shown() {
    let server = Postgres::start(&[]).expect("a PostgreSQL server");
    let config: Config = server.url().parse().expect("a URL");
    let mut elsewhere = config.clone();
    elsewhere.dbname("template1");
    let [one, other] = [locks(config, "one"), locks(elsewhere, "other")];
    let held = in_time(one.lock("k")).await.expect("a lock");
    assert!(in_time(other.holders()).await.expect("holders").is_empty());
    assert_eq!(in_time(one.holders()).await.expect("holders").len(), 1);
    held.release().await.expect("a release");
}

/// What a plain role may not see of others is not there, and the rest is.
#[tokio::test]
async fn a_plain_role_sees_what_it_may() {
    let server = Postgres::start(&[]).expect("a PostgreSQL server");
    let config: Config = server.url().parse().expect("a URL");
    let (admin, connection) = config.connect(NoTls).await.expect("a connection");
    tokio::spawn(connection);
    admin.batch_execute("CREATE ROLE plain LOGIN").await.expect("a role");
    let mut plain = config.clone();
    plain.user("plain");
    let [one, other] = [locks(config, "one"), locks(plain, "plain")];
    let held = in_time(one.lock("k")).await.expect("a lock");
    let seen = in_time(other.holders()).await.expect("holders");
    let [holder] = seen.as_slice() else { panic!("{seen:?}") };
    assert_eq!(holder.user.as_deref(), Some("postgres"));
    assert_eq!((&holder.host, &holder.since), (&None, &None));
    let freed = in_time(other.free("k")).await.expect_err("it is not its own");
    assert!(format!("{freed:?}").contains("pg_signal_backend"), "{freed:?}");
    assert!(!held.is_lost());
}

/// All that ends with the session is told.
#[tokio::test]
async fn a_session_that_holds_it_is_ended() {
    let [one, other] = [locks(config(), "free one"), locks(config(), "free other")];
    let held = in_time(one.lock("free")).await.expect("a lock");
    let beside = in_time(one.lock("free beside")).await.expect("a lock");
    let freed = in_time(other.free("free")).await.expect("it is freed");
    assert_eq!(freed.len(), 2, "{freed:?}");
    drop(in_time(other.try_lock("free")).await.expect("an answer").expect("it is free at once"));
    for held in [held, beside] {
        assert_eq!(in_time(held.lost()).await.reason(), LostReason::SessionEnded);
    }
    assert!(in_time(other.free("free")).await.expect("nobody").len() < 2);
}

/// Whoever does not use `Locks` is seen as well.
#[tokio::test]
async fn a_lock_of_somebody_elses_is_seen_and_freed() {
    let (locks, client) = (locks(config(), "free theirs"), client().await);
    let mut lock = Lock::new(&client, "free theirs").expect("a key");
    assert!(lock.acquire(Wait::No).await.expect("an answer"));
    let freed = in_time(locks.free("free theirs")).await.expect("it is freed");
    assert_eq!(freed.len(), 1);
    in_time(locks.lock("free theirs")).await.expect("a lock").release().await.expect("a release");
}

/// What a turnstile is for is shown, and not the turnstile.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_writer_among_readers_is_seen_to_wait() {
    let [one, other, third] =
        ["look reader", "look writer", "look behind"].map(|it| locks(config(), it));
    let shared = async |locks: &dlock_postgres::Locks| {
        locks.key("look turnstile").expect("a key").shared().lock().await
    };
    let held = in_time(shared(&one)).await.expect("a lock");
    let writes = tokio::spawn(async move { other.lock("look turnstile").await.map(drop) });
    let key = Key::from("look turnstile");
    let mut seen: Vec<Holder> = Vec::new();
    let applications = |seen: &[Holder]| {
        let mut all = Vec::from_iter(seen.iter().map(|it| (it.application.clone(), it.is_waiting)));
        all.sort();
        all.dedup();
        all.len()
    };
    until(async || {
        seen = in_time(one.holders()).await.expect("holders");
        seen.retain(|it| it.key == key);
        applications(&seen) == 2
    })
    .await;
    let reads = tokio::spawn(async move { shared(&third).await.map(drop) });
    until(async || {
        seen = in_time(one.holder("look turnstile")).await.expect("holders");
        applications(&seen) == 3
    })
    .await;
    assert!(seen.iter().all(|it| it.key == key), "{seen:?}");
    let holds = seen.iter().filter(|it| !it.is_waiting);
    assert_eq!(Vec::from_iter(holds.filter_map(|it| it.application.as_deref())), ["look reader"]);
    held.release().await.expect("a release");
    in_time(writes).await.expect("no panic").expect("a lock");
    in_time(reads).await.expect("no panic").expect("a lock");
}
