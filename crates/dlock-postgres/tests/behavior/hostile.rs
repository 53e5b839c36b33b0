//! A search path full of names that are not the system's: none of them is called, no answer changes.

use crate::eye::{Eye, connect, connect_to, fail, session_at, show};
use crate::overloads::{Hostile, symbols};
use dlock_core::Wait;
use dlock_postgres::{AsSession, Error, Key, Lock, Locks, XactLock};
use dlock_testkit::polled::polled;
use futures::future::{join, join_all};
use std::sync::Arc;
use std::time::Duration;
use tokio_postgres::Client;

const SHORT: Duration = Duration::from_millis(60);
const SECOND: Duration = Duration::from_secs(1);

fn keys() -> [Key; 3] {
    [Key::from(-7), Key::from(i64::MAX), Key::from((i32::MIN, 7))]
}

fn lock_of<S: AsSession>(session: S, key: &Key, shared: bool) -> Lock<S> {
    let lock = Lock::new(session, key).unwrap();
    if shared { lock.shared() } else { lock }
}

/// The test's own ground: names were found, the overloads are in place, and a call of one is seen.
#[tokio::test]
async fn what_is_overloaded_is_what_the_statements_use() {
    let hostile = Hostile::create("dlock_hostile_ground").await;
    for name in [
        "now",
        "statement_timestamp",
        "set_config",
        "current_setting",
        "pg_backend_pid",
        "pg_is_in_recovery",
        "pg_try_advisory_lock",
        "pg_advisory_unlock_shared",
        "pg_advisory_xact_lock",
        "pg_lock_status",
        "int8",
        "oid",
    ] {
        let count = format!("SELECT count(*) > 0 FROM made WHERE name = '{name}'");
        assert_eq!(show(&hostile.admin, &count).await, "t", "{name}");
    }
    assert!(symbols().contains("="), "{:?}", symbols());
    let [front, public] = hostile.configs();
    let front = Hostile::connect(&front).await;
    for theirs in
        ["now()", "1 = 1", "int8 '1'", "pg_backend_pid()", "(SELECT granted FROM hostile.pg_locks)"]
    {
        let error = front.simple_query(&format!("SELECT {theirs}")).await.unwrap_err();
        assert!(
            error.as_db_error().unwrap().message().starts_with("hostile"),
            "{theirs}: {error:?}"
        );
    }
    let public = Hostile::connect(&public).await;
    let better = public.simple_query("SELECT 1::oid = 1::int4").await.unwrap_err();
    assert!(better.as_db_error().unwrap().message().starts_with("hostile"), "{better:?}");
    let drop = format!("DROP DATABASE {} WITH (FORCE)", hostile.name);
    connect().await.batch_execute(&drop).await.unwrap();
}

#[tokio::test]
async fn tries_waits_and_releases() {
    let hostile = Hostile::create("dlock_hostile_waits").await;
    let eye = hostile.eye().await;
    let mut rounds = Vec::new();
    for config in hostile.configs() {
        for key in keys() {
            for shared in [false, true] {
                // Each round has keys of its own, so that all of them go on at once.
                rounds.push((config.clone(), apart(&key, rounds.len()), shared));
            }
        }
    }
    join_all(rounds.iter().map(async |(config, key, shared)| {
        let (client, other) = (Hostile::connect(config).await, Hostile::connect(config).await);
        waits(lock_of(&client, key, *shared), &other, key, &eye).await;
        waits(lock_of(session_at(config).await, key, *shared), &other, key, &eye).await;
    }))
    .await;
    hostile.untouched().await;
}

/// Another key of the same form, with the same bits at its ends.
fn apart(key: &Key, number: usize) -> Key {
    let number = i32::try_from(number).unwrap() << 8;
    match key.number() {
        dlock_postgres::Number::Single(key) => Key::from(key ^ i64::from(number)),
        dlock_postgres::Number::Pair(one, two) => Key::from((one, two ^ number)),
    }
}

async fn waits<S: AsSession>(mut lock: Lock<S>, other: &Client, key: &Key, eye: &Eye) {
    for wait in [Wait::No, Wait::For(SECOND), Wait::Forever] {
        assert!(lock.acquire(wait).await.unwrap());
        assert_eq!(eye.sees(key).await, (1, 0));
        lock.release().await.unwrap();
    }
    let mut holder = Lock::new(other, key).unwrap();
    assert!(holder.acquire(Wait::No).await.unwrap());
    for wait in [Wait::No, Wait::For(SHORT)] {
        assert!(!lock.acquire(wait).await.unwrap());
    }
    let release = async {
        eye.until(key, (1, 1)).await;
        tokio::time::sleep(SHORT * 3).await;
        holder.release().await.unwrap();
    };
    let (granted, ()) = join(lock.acquire(Wait::Forever), release).await;
    assert!(granted.unwrap());
    assert_eq!(eye.sees(key).await, (1, 0));
    lock.release().await.unwrap();
    eye.until(key, (0, 0)).await;
}

/// What lets go behind a drop, in and outside a transaction begun by hand, and the try inside one.
#[tokio::test]
async fn drops_and_transactions_begun_by_hand() {
    let hostile = Hostile::create("dlock_hostile_drops").await;
    let eye = hostile.eye().await;
    for config in hostile.configs() {
        for key in keys() {
            for shared in [false, true] {
                let client = Arc::new(Hostile::connect(&config).await);
                let mut lock = lock_of(Arc::clone(&client), &key, shared);
                assert!(polled(lock.acquire(Wait::No), 1).await.is_none());
                lock.close().await.unwrap();
                client.batch_execute("BEGIN").await.unwrap();
                let guard = lock.lock().await.unwrap();
                let mut second = Lock::new(Arc::clone(&client), &key).unwrap();
                assert!(matches!(second.acquire(Wait::No).await, Err(Error::AlreadyHeld)));
                client.batch_execute("COMMIT").await.unwrap();
                fail(&client).await;
                drop(guard);
                drop(lock);
                client.batch_execute("ROLLBACK").await.unwrap();
                eye.until(&key, (0, 0)).await;
            }
        }
    }
    hostile.untouched().await;
}

#[tokio::test]
async fn locks_of_transactions() {
    let hostile = Hostile::create("dlock_hostile_xact").await;
    let eye = hostile.eye().await;
    for config in hostile.configs() {
        for key in keys() {
            let mut client = Hostile::connect(&config).await;
            let (other, shared) = (Hostile::connect(&config).await, key == Key::from(-7));
            client.batch_execute("SET lock_timeout = 4321").await.unwrap();
            let transaction = client.transaction().await.unwrap();
            let lock = XactLock::new(&transaction, &key).unwrap();
            let mut lock = if shared { lock.shared() } else { lock };
            let mut holder = Lock::new(&other, &key).unwrap();
            assert!(holder.acquire(Wait::No).await.unwrap());
            assert!(!lock.try_lock().await.unwrap());
            assert!(!lock.acquire(SHORT).await.unwrap());
            assert!(polled(lock.acquire(Wait::Forever), 2).await.is_none());
            let release = async {
                eye.until(&key, (1, 1)).await;
                holder.release().await.unwrap();
            };
            let (granted, ()) = join(lock.acquire(Wait::Forever), release).await;
            assert!(granted.unwrap());
            let mut second = Lock::new(transaction.client(), &key).unwrap();
            assert!(matches!(second.acquire(Wait::No).await, Err(Error::AlreadyHeld)));
            drop(second);
            assert_eq!(show(transaction.client(), "SHOW lock_timeout").await, "4321ms");
            transaction.commit().await.unwrap();
            eye.until(&key, (0, 0)).await;
        }
    }
    hostile.untouched().await;
}

/// The look that tells a deadlock from a `CONCURRENTLY` command.
#[tokio::test]
async fn deadlocks() {
    let hostile = Hostile::create("dlock_hostile_dead").await;
    for config in hostile.configs() {
        let (one, two) = (Hostile::connect(&config).await, Hostile::connect(&config).await);
        let (mut one_a, mut one_b) = (Lock::new(&one, 1).unwrap(), Lock::new(&one, 2).unwrap());
        let (mut two_a, mut two_b) = (Lock::new(&two, 1).unwrap(), Lock::new(&two, 2).unwrap());
        assert!(one_a.acquire(Wait::No).await.unwrap());
        assert!(two_b.acquire(Wait::No).await.unwrap());
        let first = async {
            let answer = one_b.acquire(SECOND * 5).await;
            one_a.release().await.unwrap();
            answer
        };
        let second = async {
            let answer = two_a.acquire(SECOND * 5).await;
            two_b.release().await.unwrap();
            answer
        };
        let (first, second) = join(first, second).await;
        let victims = [&first, &second];
        let victims = victims.iter().filter(|answer| matches!(answer, Err(Error::Deadlock(_))));
        assert_eq!(victims.count(), 1, "{first:?}, {second:?}");
    }
    hostile.untouched().await;
}

/// What `Locks` say on sessions whose search path is not theirs, the fence and what ends a session, and the
/// rest of what they say.
#[tokio::test]
async fn locks_that_own_their_sessions() {
    let hostile = Hostile::create("dlock_hostile_locks").await;
    for config in hostile.configs() {
        let mut client = Hostile::connect(&config).await;
        let locks = Locks::builder(config).connect().await.unwrap();
        locks.setup().await.unwrap();
        let fenced = locks.key("fenced").unwrap().fenced().lock().await.unwrap();
        fenced.begin(&mut client).await.unwrap().commit().await.unwrap();
        let shared = locks.key("fenced").unwrap().shared();
        assert!(shared.lock_within(SECOND / 10).await.is_err(), "it is held");
        fenced.release().await.unwrap();
        let alone = locks.key("alone").unwrap().alone().lock().await.unwrap();
        assert_eq!(locks.holder("alone").await.unwrap().len(), 1);
        alone.abort().await.unwrap();
        assert!(locks.holder("alone").await.unwrap().is_empty());
        locks.check().await.unwrap();
        locks.close().await;
    }
    hostile.untouched().await;
}

/// Without `plpgsql` for this role.
#[tokio::test]
async fn waits_without_plpgsql() {
    let hostile = Hostile::create("dlock_hostile_plain").await;
    let eye = hostile.eye().await;
    let revoke =
        "REVOKE USAGE ON LANGUAGE plpgsql FROM PUBLIC; CREATE ROLE dlock_plain LOGIN PASSWORD 'x'";
    hostile.admin.batch_execute(revoke).await.unwrap();
    for mut config in hostile.configs() {
        config.user("dlock_plain").password("x");
        for key in keys() {
            let (client, other) = (connect_to(&config).await, connect_to(&config).await);
            waits(lock_of(&client, &key, false), &other, &key, &eye).await;
        }
    }
    hostile.untouched().await;
    connect().await.batch_execute("DROP ROLE dlock_plain").await.unwrap();
}
