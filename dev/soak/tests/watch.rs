//! What watches the promises sees it when they are broken.

use dlock_core::{Lock, Wait};
use dlock_soak::section::{Found, enter, leave};
use dlock_soak::target::postgres::Postgres;
use dlock_soak::target::{KEYS, Observer, Target};
use dlock_testkit::server::Postgres as Server;
use std::time::Duration;
use tokio::sync::{Mutex, MutexGuard};
use tokio::time::sleep;

type LockOf<T> = Lock<<T as Target>::Raw>;

/// The register is one for all: one test at a time.
static ONE: Mutex<()> = Mutex::const_new(());

async fn server() -> (Postgres, MutexGuard<'static, ()>) {
    let one = ONE.lock().await;
    let server = Postgres::new(Server::shared().unwrap().url(), None).unwrap();
    server.prepare().await.unwrap();
    (server, one)
}

async fn name<T: Target>(lock: &mut LockOf<T>) -> String {
    T::name(lock.session().unwrap()).await.unwrap()
}

/// Two locks on different keys, which is what a lock that does not exclude comes to.
async fn broken(server: &Postgres) -> [LockOf<Postgres>; 2] {
    [server.lock(KEYS[0]).await.unwrap(), server.lock(KEYS[1]).await.unwrap()]
}

#[tokio::test]
async fn an_overlap_is_seen_when_the_first_leaves() {
    let (server, _one) = server().await;
    let [mut first, mut second] = broken(&server).await;
    let (a, b) = (name::<Postgres>(&mut first).await, name::<Postgres>(&mut second).await);
    let (mut first, mut second) = (first.lock().await.unwrap(), second.lock().await.unwrap());
    let key = KEYS[0];
    assert_eq!(enter::<Postgres>(&mut first, key, &a).await.unwrap(), Found::Alone);
    let later = async {
        sleep(Duration::from_millis(100)).await;
        leave::<Postgres>(&mut first, key, &a).await.unwrap()
    };
    let (found, left) = tokio::join!(enter::<Postgres>(&mut second, key, &b), later);
    assert_eq!(left, Found::Alone);
    assert!(matches!(found.unwrap(), Found::Overlap(_)));
}

#[tokio::test]
async fn an_overlap_is_seen_when_the_first_stays() {
    let (server, _one) = server().await;
    let [mut first, mut second] = broken(&server).await;
    let (a, b) = (name::<Postgres>(&mut first).await, name::<Postgres>(&mut second).await);
    let (mut first, mut second) = (first.lock().await.unwrap(), second.lock().await.unwrap());
    assert_eq!(enter::<Postgres>(&mut first, KEYS[0], &a).await.unwrap(), Found::Alone);
    let found = enter::<Postgres>(&mut second, KEYS[0], &b).await.unwrap();
    assert!(matches!(found, Found::Overlap(_)), "{found:?}");
}

#[tokio::test]
async fn one_who_died_inside_is_no_overlap() {
    let (server, _one) = server().await;
    let [mut first, mut second] = broken(&server).await;
    let (a, b) = (name::<Postgres>(&mut first).await, name::<Postgres>(&mut second).await);
    let (mut first, mut second) = (first.lock().await.unwrap(), second.lock().await.unwrap());
    assert_eq!(enter::<Postgres>(&mut first, KEYS[0], &a).await.unwrap(), Found::Alone);
    server.kill(a.split('/').next().unwrap()).await.unwrap();
    assert_eq!(enter::<Postgres>(&mut second, KEYS[0], &b).await.unwrap(), Found::Inherited);
    assert_eq!(leave::<Postgres>(&mut second, KEYS[0], &b).await.unwrap(), Found::Alone);
}

#[tokio::test]
async fn what_is_held_or_awaited_is_seen() {
    let (server, _one) = server().await;
    let mut holder = server.lock(KEYS[0]).await.unwrap();
    let mut waiter = server.lock(KEYS[0]).await.unwrap();
    assert!(server.seen().await.unwrap().is_empty());
    assert!(holder.acquire(Wait::No).await.unwrap());
    let look = async {
        sleep(Duration::from_millis(200)).await;
        server.seen().await.unwrap()
    };
    let (granted, seen) = tokio::join!(waiter.acquire(Duration::from_millis(600)), look);
    assert!(!granted.unwrap());
    assert_eq!(seen.iter().filter(|seen| seen.what.contains("granted: t")).count(), 1, "{seen:?}");
    assert!(seen.iter().any(|seen| seen.what.contains("granted: f")), "{seen:?}");
    holder.release().await.unwrap();
    assert!(server.seen().await.unwrap().is_empty());
}
