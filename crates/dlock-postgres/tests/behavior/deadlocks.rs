//! Deadlocks of sessions that hold by this library, and what only looks like one.

use crate::eye::{Eye, connect, session, show};
use dlock_core::Wait;
use dlock_postgres::{AsSession, Error, Lock};
use futures::future::{join, join_all};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio_postgres::Client;

const SECOND: Duration = Duration::from_secs(1);

/// Each holds one key and wants the next one's. When one is told, it lets go, and the others go on.
async fn ring<S: AsSession + Clone + Send>(sessions: Vec<S>, name: &str) {
    let count = sessions.len();
    let key = |number: usize| format!("deadlocks-{name}-{count}-{}", number % count);
    let locks = |offset: usize| {
        let with_numbers = sessions.iter().enumerate();
        with_numbers.map(move |(number, session)| {
            Lock::new(session.clone(), key(number + offset).as_str()).unwrap()
        })
    };
    let (mut held, wanted): (Vec<_>, Vec<_>) = (locks(0).collect(), locks(1).collect());
    for lock in &mut held {
        assert!(lock.acquire(Wait::No).await.unwrap());
    }
    let start = Instant::now();
    let pairs = held.into_iter().zip(wanted).map(async |(mut held, mut wanted)| {
        let answer = wanted.acquire(SECOND * 20).await;
        let told = start.elapsed();
        wanted.close().await.unwrap();
        assert!(held.is_locked(), "the victim keeps what it had");
        held.release().await.unwrap();
        (answer, told)
    });
    let mut victims = 0;
    for (answer, told) in join_all(pairs).await {
        match answer {
            Ok(granted) => assert!(granted),
            Err(Error::Deadlock(Some(_))) => {
                assert!(told < SECOND * 5 / 2, "{name}, {count}: told after {told:?}");
                victims += 1;
            }
            Err(error) => panic!("{error:?}"),
        }
    }
    assert_eq!(victims, 1, "{name}, {count}");
}

#[tokio::test]
async fn two_three_and_four_sessions() {
    join_all((2..5).flat_map(|count| [(count, true), (count, false)]).map(
        async |(count, client)| {
            if client {
                let clients = join_all((0..count).map(async |_| Arc::new(connect().await))).await;
                ring(clients, "client").await;
            } else {
                let sessions = join_all((0..count).map(async |_| Arc::new(session().await))).await;
                ring(sessions, "session").await;
            }
        },
    ))
    .await;
}

/// The holder builds an index concurrently, which waits for the waiter's snapshot. The waiter holds
/// another key, so that its slices are full: the server calls it a deadlock, and it is none.
#[tokio::test]
async fn beside_an_index_that_is_built_concurrently() {
    let (client, waiting) = (connect().await, connect().await);
    client.batch_execute("CREATE TABLE deadlocks (n int)").await.unwrap();
    for round in 0..3 {
        let mut held = Lock::new(&client, "deadlocks-index").unwrap();
        assert!(held.acquire(Wait::No).await.unwrap());
        let mut another = Lock::new(&waiting, "deadlocks-another").unwrap();
        assert!(another.acquire(Wait::No).await.unwrap());
        let mut wanted = Lock::new(&waiting, "deadlocks-index").unwrap();
        let builds = async {
            Eye::open().await.until("deadlocks-index", (1, 1)).await;
            let index = format!("deadlocks_index_{round}");
            let build = format!("CREATE INDEX CONCURRENTLY {index} ON deadlocks (n)");
            let start = Instant::now();
            client.batch_execute(&build).await.unwrap();
            assert!(start.elapsed() < SECOND * 5, "{:?}", start.elapsed());
            assert_eq!(show(&client, &valid(&index)).await, "t");
            held.release().await.unwrap();
        };
        let (answer, ()) = join(wanted.acquire(Wait::Forever), builds).await;
        assert!(answer.unwrap());
        wanted.release().await.unwrap();
        another.release().await.unwrap();
    }
    client.batch_execute("DROP TABLE deadlocks").await.unwrap();
}

fn valid(index: &str) -> String {
    format!("SELECT indisvalid FROM pg_index WHERE indexrelid = '{index}'::regclass")
}

/// Beside waiters that hold nothing else nobody is told of a deadlock, and the holder's index is valid.
#[tokio::test]
async fn an_index_beside_waiters() {
    let client: Client = connect().await;
    client.batch_execute("CREATE TABLE beside (n int)").await.unwrap();
    for round in 0..3 {
        let mut held = Lock::new(&client, "beside").unwrap();
        assert!(held.acquire(Wait::No).await.unwrap());
        let waits = join_all((0..3).map(async |_| {
            let mut lock = Lock::new(connect().await, "beside").unwrap();
            assert!(lock.acquire(Wait::Forever).await.unwrap());
            lock.release().await.unwrap();
        }));
        let builds = async {
            // Until their slices have grown.
            tokio::time::sleep(SECOND * round / 2).await;
            let build = format!("CREATE INDEX CONCURRENTLY beside_{round} ON beside (n)");
            client.batch_execute(&build).await.unwrap();
            assert_eq!(show(&client, &valid(&format!("beside_{round}"))).await, "t");
            held.release().await.unwrap();
        };
        join(waits, builds).await;
    }
    client.batch_execute("DROP TABLE beside").await.unwrap();
}
