//! Waits that are parked: polled for a while, and then left alone.

use crate::drops::Shared;
use crate::eye::{Eye, config, connect, holder, show};
use dlock_core::Wait;
use dlock_postgres::{Lock, Session};
use dlock_testkit::polled::polled;
use futures::future::join;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::time::{sleep, timeout};
use tokio_postgres::Client;

const MS: Duration = Duration::from_millis(1);
/// The longest slice, and what a busy machine takes.
const A_SLICE: Duration = Duration::from_millis(1_100);

/// A wait that is parked after its first polls: tries and releases of other keys on the session go on,
/// bounded waits end, and its turn is free again once it is dropped.
#[tokio::test]
async fn a_parked_wait() {
    for halves in [false, true] {
        let key = if halves { "drops-parked-halves" } else { "drops-parked" };
        if halves {
            parked(Arc::<Session>::open(&config()).await, key).await;
        } else {
            parked(Arc::<Client>::open(&config()).await, key).await;
        }
    }
}

async fn parked<C: Shared>(client: C, key: &str) {
    let (eye, _holder) = (Eye::open().await, holder(key).await);
    let _second = holder(format!("{key}-2").as_str()).await;
    for polls in 1..5 {
        let mut lock = Lock::new(client.locked(), key).unwrap();
        let mut wait = Box::pin(lock.lock());
        // Each poll only once it was asked for, then never again.
        for _ in 0..polls {
            let _ = timeout(MS * 30, polled(&mut wait, 1)).await;
        }
        sleep(MS * 150).await;
        let mut free = Lock::new(client.locked(), format!("{key}-free").as_str()).unwrap();
        for _ in 0..3 {
            assert!(timeout(A_SLICE, free.acquire(Wait::No)).await.unwrap().unwrap());
            timeout(A_SLICE, free.release()).await.unwrap().unwrap();
        }
        let mut bounded = Lock::new(client.locked(), format!("{key}-2").as_str()).unwrap();
        let answer = timeout(A_SLICE + MS * 200, bounded.acquire(MS * 200)).await;
        assert!(!answer.unwrap().unwrap());
        assert_eq!(timeout(A_SLICE, show(client.client(), "SELECT 6")).await.unwrap(), "6");
        drop(wait);
        drop(lock);
        eye.until(key, (1, 0)).await;
    }
}

/// A wait that is left alone for good keeps no other wait on its session from its turn.
#[tokio::test]
async fn a_parked_wait_does_not_keep_the_turn() {
    let (eye, _holder) = (Eye::open().await, holder("drops-turn").await);
    let mut other = holder("drops-turn-2").await;
    let client = Arc::new(connect().await);
    let mut lock = Lock::new(Arc::clone(&client), "drops-turn").unwrap();
    let mut wait = Box::pin(lock.lock());
    tokio::select! {
        answer = &mut wait => panic!("{answer:?}"),
        () = eye.until("drops-turn", (1, 1)) => {}
    }
    let mut second = Lock::new(Arc::clone(&client), "drops-turn-2").unwrap();
    let release = async {
        sleep(MS * 200).await;
        other.release().await.unwrap();
    };
    let (granted, ()) = timeout(MS * 5_000, join(second.acquire(Wait::Forever), release))
        .await
        .expect("it has its turn");
    assert!(granted.unwrap());
    second.release().await.unwrap();
    drop(wait);
}

/// Whoever shares a session is answered, whatever became of an acquire that was said behind: it was polled,
/// and is in flight still.
#[tokio::test]
async fn a_query_in_front_of_an_acquire_that_is_not_polled() {
    let session = Arc::<Session>::open(&config()).await;
    let _holder = holder("parked-behind").await;
    for polls in (1..5).cycle().take(100) {
        let mut lock = Lock::new(Arc::clone(&session), "parked-behind").unwrap();
        let mut query = pin!(show(session.client(), "SELECT 7"));
        assert_eq!(polled(&mut query, 1).await, None);
        let mut wait = Box::pin(lock.acquire(MS));
        assert!(polled(&mut wait, polls).await.is_none_or(|answer| !answer.unwrap()));
        let answer = timeout(A_SLICE, query).await;
        assert_eq!(answer.expect("nobody reads"), "7", "after {polls} polls");
    }
}

/// Behind a long statement of the caller's there is one wait, however many want to be: what is said next is
/// answered soon.
#[tokio::test]
async fn waits_behind_a_long_statement() {
    let (client, other) = (Arc::new(connect().await), Arc::new(connect().await));
    let (mut held, mut waits) = (Vec::new(), Vec::new());
    for key in (0..30).map(|number| format!("parked-long-{number}")) {
        let mut holder = Lock::new(Arc::clone(&other), key.as_str()).unwrap();
        assert!(holder.acquire(Wait::No).await.unwrap());
        held.push(holder);
        let mut lock = Lock::new(Arc::clone(&client), key.as_str()).unwrap();
        waits.push(tokio::spawn(async move { lock.acquire(MS * 20_000).await.unwrap() }));
    }
    let long = client.batch_execute("SELECT pg_sleep(12)");
    let next = async {
        sleep(MS * 11_500).await;
        let asked = Instant::now();
        show(&client, "SELECT 8").await;
        asked.elapsed()
    };
    let (_, took) = join(long, next).await;
    waits.iter().for_each(tokio::task::JoinHandle::abort);
    assert!(took < MS * 1_000 + A_SLICE, "{took:?}");
}
