//! What watches the promises sees it when they are broken.

use dlock_core::{Lock, Wait};
use dlock_soak::record::Record;
use dlock_soak::roster::{Claim, Member, serve};
use dlock_soak::section::{Found, enter, leave};
use dlock_soak::target::postgres::Postgres;
use dlock_soak::target::{Factory, KEYS, Observer, Target};
use dlock_testkit::server::Postgres as Server;
use futures::future::join_all;
use std::time::Duration;
use tokio::sync::{Mutex, MutexGuard};
use tokio::time::{sleep, timeout};

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

/// A semaphore that gives as many as the roster has room for, and one that gives one more.
#[tokio::test]
async fn one_permit_too_many_is_seen() {
    let (server, _one) = server().await;
    let (_events, told) = tokio::sync::mpsc::unbounded_channel();
    let record = Record::of(told);
    let roster = serve(record.clone()).await.unwrap();
    for (room, broken) in [(3, 0), (2, 1)] {
        let stays = (0..3).map(|number| {
            let locks = server.locks().unwrap();
            async move {
                let mut member = Member::connect(roster).await.unwrap();
                let permit = locks.semaphore("soak-permits-c", 3).unwrap().acquire(None).await;
                let permit = permit.unwrap();
                let section = format!("room for {room}");
                let claim = Claim { section, weight: 1, capacity: room };
                let belief = || permit.must_have(Duration::ZERO).err().map(|lost| lost.reason());
                let stay = sleep(Duration::from_millis(300 + number));
                member.stay(vec![claim], None, &belief, stay).await.unwrap()
            }
        });
        let stayed = timeout(Duration::from_secs(30), join_all(stays)).await.unwrap();
        assert!(stayed.iter().all(Option::is_some));
        assert_eq!(record.so_far().violations.len(), broken);
    }
}
