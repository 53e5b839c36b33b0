//! Dropped waits beside other statements on the same client: each statement gets its own answer, and
//! nothing is cancelled, held or waiting when a slice has passed. The holder does not let go meanwhile.

use crate::eye::{Eye, address, config, connect, connect_to, holder, session_at, show, towards};

use crate::far::relay;
use dlock_core::Wait;
use dlock_postgres::{AsSession, Lock, Session};
use dlock_testkit::polled::polled;
use futures::SinkExt;
use futures::future::{join_all, select_all};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::time::timeout;
use tokio_postgres::{Client, Config};
const MS: Duration = Duration::from_millis(1);
/// The longest slice, and what a busy machine takes.
const A_SLICE: Duration = Duration::from_millis(1_100);

/// A client that is shared with other tasks.
pub(crate) trait Shared: Clone + Send + Sync + 'static {
    type Locked: AsSession + Clone + Send;

    async fn open(config: &Config) -> Self;
    fn client(&self) -> &Client;
    fn locked(&self) -> Self::Locked;
}

impl Shared for Arc<Client> {
    type Locked = Self;

    async fn open(config: &Config) -> Self {
        Arc::new(connect_to(config).await)
    }

    fn client(&self) -> &Client {
        self
    }

    fn locked(&self) -> Self {
        Arc::clone(self)
    }
}

impl Shared for Arc<Session> {
    type Locked = Self;

    async fn open(config: &Config) -> Self {
        Arc::new(session_at(config).await)
    }

    fn client(&self) -> &Client {
        Session::client(self)
    }

    fn locked(&self) -> Self {
        Arc::clone(self)
    }
}

/// Another task's statement, which is to be answered with its own number.
fn other_task(client: &impl Shared, number: usize, seconds: f64) -> tokio::task::JoinHandle<()> {
    let client = client.clone();
    tokio::spawn(async move {
        let statement = format!("SELECT {number}, pg_sleep({seconds})");
        assert_eq!(show(client.client(), &statement).await, number.to_string());
    })
}

async fn around<C: Shared>(key: &str) {
    let (eye, _holder) = (Eye::open().await, holder(key).await);
    let client = C::open(&config()).await;
    for (polls, seconds) in [(1, 0.0), (1, 0.3), (2, 0.0), (2, 0.3), (3, 0.0), (4, 0.3), (6, 0.0)] {
        let front = other_task(&client, polls, seconds);
        tokio::task::yield_now().await;
        let mut lock = Lock::new(client.locked(), key).unwrap();
        let wait = timeout(MS * 400, polled(lock.lock(), polls));
        let between = other_task(&client, polls + 10, 0.0);
        assert!(wait.await.is_ok_and(|answer| answer.is_none()) || polls > 1);
        let dropped = Instant::now();
        drop(lock);
        let behind = other_task(&client, polls + 20, seconds);
        for answered in [front, between, behind] {
            answered.await.unwrap();
        }
        assert!(dropped.elapsed() < A_SLICE + MS * 600, "{polls} polls: {:?}", dropped.elapsed());
        eye.until(key, (1, 0)).await;
    }
}

#[tokio::test]
async fn statements_around_a_dropped_wait_on_a_client() {
    around::<Arc<Client>>("drops-client").await;
}

#[tokio::test]
async fn statements_around_a_dropped_wait_on_both_halves() {
    around::<Arc<Session>>("drops-session").await;
}

/// A COPY of the caller's is under way in front of the wait, and goes on behind it.
#[tokio::test]
async fn a_copy_in_front() {
    let (client, eye) = (Arc::new(connect().await), Eye::open().await);
    let _holder = holder("drops-copy").await;
    client.batch_execute("CREATE TEMP TABLE copied (line text)").await.unwrap();
    let sink = client.copy_in::<_, &'static [u8]>("COPY copied FROM STDIN").await.unwrap();
    let mut sink = Box::pin(sink);
    sink.send(&b"one\n"[..]).await.unwrap();
    for key in ["drops-copy", "drops-copy-free"] {
        let mut lock = Lock::new(Arc::clone(&client), key).unwrap();
        assert!(timeout(MS * 50, lock.lock()).await.is_err());
    }
    sink.send(&b"two\n"[..]).await.unwrap();
    assert_eq!(sink.as_mut().finish().await.unwrap(), 2);
    assert_eq!(show(&client, "SELECT count(*) FROM copied").await, "2");
    eye.until("drops-copy", (1, 0)).await;
    eye.until("drops-copy-free", (0, 0)).await;
}

/// Waits for as many keys as there are, all of them dropped at once.
async fn all_at_once<C: Shared>(config: &Config, name: &str, count: usize, round_trip: Duration) {
    let eye = Eye::open().await;
    let keys: Vec<String> = (0..count).map(|number| format!("{name}-{number}")).collect();
    let _holders = join_all(keys.iter().map(|key| holder(key.as_str()))).await;
    let client = C::open(config).await;
    let locks = keys.iter().map(|key| Lock::new(client.locked(), key.as_str()).unwrap());
    let mut locks: Vec<_> = locks.collect();
    let waits = locks.iter_mut().map(|lock| Box::pin(lock.lock()));
    let waits = timeout(round_trip * 2 + MS * 120, select_all(waits));
    let between = other_task(&client, 7, 0.0);
    assert!(waits.await.is_err());
    let dropped = Instant::now();
    drop(locks);
    between.await.unwrap();
    other_task(&client, 8, 0.0).await.unwrap();
    assert!(dropped.elapsed() < A_SLICE + round_trip, "{:?}", dropped.elapsed());
    for key in &keys {
        eye.until(key.as_str(), (1, 0)).await;
    }
    assert!(dropped.elapsed() < A_SLICE + round_trip + MS * 400, "{:?}", dropped.elapsed());
}

#[tokio::test]
async fn three_at_once_far_away() {
    let far = towards(relay(address(), MS * 100).await);
    all_at_once::<Arc<Client>>(&far, "drops-far-client", 3, MS * 200).await;
    all_at_once::<Arc<Session>>(&far, "drops-far-session", 3, MS * 200).await;
}

#[tokio::test]
async fn fifty_at_once() {
    all_at_once::<Arc<Client>>(&config(), "drops-fifty-client", 50, Duration::ZERO).await;
    all_at_once::<Arc<Session>>(&config(), "drops-fifty-session", 50, Duration::ZERO).await;
}

/// A server that tells all it does fills more than one message with an answer that nobody waits for.
#[tokio::test]
async fn guards_of_a_talkative_server() {
    let eye = Eye::open().await;
    for level in ["warning", "debug5"] {
        let set = format!("SET client_min_messages = {level}");
        let (client, both) = (connect().await, session_at(&config()).await);
        client.batch_execute(&set).await.unwrap();
        both.client().batch_execute(&set).await.unwrap();
        let mut lock = Lock::new(&client, "drops-talk").unwrap();
        let mut other = Lock::new(both, "drops-talk-both").unwrap();
        for _ in 0..5 {
            drop(lock.lock().await.unwrap());
            let answer = timeout(A_SLICE, show(&client, "SELECT 'mine'")).await;
            assert_eq!(answer.expect(level), "mine");
            drop(other.lock().await.unwrap());
            timeout(A_SLICE, other.close()).await.expect(level).unwrap();
        }
        eye.until("drops-talk", (0, 0)).await;
        eye.until("drops-talk-both", (0, 0)).await;
    }
}

/// One after another, each dropped a little later, with the lock of the last one reused.
#[tokio::test]
async fn again_and_again_on_one_lock() {
    let (eye, mut other) = (Eye::open().await, holder("drops-again").await);
    let client = Arc::new(connect().await);
    let mut lock = Lock::new(Arc::clone(&client), "drops-again").unwrap();
    for millis in [0, 1, 2, 5, 20, 60, 120] {
        assert!(timeout(MS * millis, lock.lock()).await.is_err());
        assert_eq!(timeout(A_SLICE, show(&client, "SELECT 5")).await.unwrap(), "5");
        eye.until("drops-again", (1, 0)).await;
        assert!(!lock.acquire(Wait::No).await.unwrap());
    }
    other.release().await.unwrap();
    assert!(lock.acquire(Wait::No).await.unwrap());
    lock.release().await.unwrap();
}
