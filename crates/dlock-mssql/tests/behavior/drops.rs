use super::{bounded, client, fresh, lock, until};
use crate::server::{Tcp, config, connect_through, integer};
use dlock_core::{Error, Wait};
use dlock_mssql::{Lock, XactLock};
use dlock_testkit::polled::polled;
use dlock_testkit::proxy::Proxy;
use std::net::ToSocketAddrs;
use std::time::Duration;

const SPID: &str = "SELECT CAST(@@SPID AS int)";

#[tokio::test]
async fn a_dropped_wait_is_cancelled_and_the_session_goes_on() {
    bounded(async {
        let key = fresh("drop-owned");
        let (mut holder, mut one) = (lock(&key).await, lock(&key).await);
        let mut observer = client().await;
        holder.acquire(Wait::No).await.unwrap();
        let before = integer(one.session().unwrap(), SPID).await;
        for wait in [Wait::Forever, Wait::For(Duration::from_secs(40))] {
            let waiting = one.acquire(wait);
            assert!(tokio::time::timeout(Duration::from_millis(60), waiting).await.is_err());
            assert!(!one.is_locked() && one.session().is_none(), "in doubt");
            until(&mut observer, &key, (1, 0)).await;
            assert!(matches!(one.release().await, Err(Error::NotLocked)));
            assert_eq!(integer(one.session().unwrap(), SPID).await, before);
        }
        holder.release().await.unwrap();
        assert!(one.acquire(Wait::No).await.unwrap());
        one.release().await.unwrap();
    })
    .await;
}

/// A wait whose grant is held back by a proxy, dropped, and so long after that let through.
async fn crossing(key: &str, after: Duration) -> (Lock<Tcp>, Proxy) {
    let config = config().await;
    let address = config.get_addr().to_socket_addrs().unwrap().next().unwrap();
    let proxy = Proxy::start(address).unwrap();
    let (mut holder, mut observer) = (lock(key).await, client().await);
    let mut one = Lock::new(connect_through(proxy.addr(), &config).await, key).unwrap();
    holder.acquire(Wait::No).await.unwrap();
    let grant = async {
        until(&mut observer, key, (1, 1)).await;
        proxy.stall();
        holder.release().await.unwrap();
        until(&mut observer, key, (1, 0)).await;
    };
    tokio::select! {
        answer = one.acquire(Wait::Forever) => panic!("the answer is held back: {answer:?}"),
        () = grant => {}
    }
    tokio::time::sleep(after).await;
    proxy.resume();
    until(&mut observer, key, (0, 0)).await;
    one.close().await.unwrap();
    if let Some(session) = one.session() {
        assert_eq!(integer(session, "SELECT 77").await, 77);
    }
    (one, proxy)
}

/// The driver takes the one for the other, and there is one more answer than it expects.
#[tokio::test]
async fn an_answer_that_crosses_the_attention_keeps_the_session() {
    bounded(async {
        let pause = Duration::from_millis(300);
        let (mut one, _proxy) = crossing(&fresh("drop-crossing"), pause).await;
        assert!(one.session().is_some());
        assert!(one.acquire(Wait::No).await.unwrap());
        one.release().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn an_answer_that_comes_right_after_the_drop_keeps_the_session() {
    bounded(async {
        let (mut one, _proxy) = crossing(&fresh("drop-in-time"), Duration::ZERO).await;
        assert!(one.session().is_some());
        assert!(one.acquire(Wait::No).await.unwrap());
        one.release().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_dropped_wait_on_a_lent_client_is_gone_with_its_owner() {
    bounded(async {
        let key = fresh("drop-lent");
        let mut holder = lock(&key).await;
        let (mut owner, mut observer) = (client().await, client().await);
        holder.acquire(Wait::No).await.unwrap();
        let mut one = Lock::new(&mut owner, key.as_str()).unwrap();
        let waiting = one.acquire(Wait::Forever);
        assert!(tokio::time::timeout(Duration::from_millis(60), waiting).await.is_err());
        assert!(one.session().is_none());
        assert!(matches!(one.acquire(Wait::No).await, Err(Error::Closed)));
        drop(one);
        drop(owner);
        until(&mut observer, &key, (1, 0)).await;
    })
    .await;
}

/// Acquire and release dropped after every number of polls, the key free and held elsewhere.
#[tokio::test]
async fn every_poll_on_a_lent_client_is_gone_with_its_owner() {
    bounded(async {
        let (key, mut observer) = (fresh("drop-lent-polls"), client().await);
        for held in [false, true] {
            let mut holder = lock(&key).await;
            for polls in 1..100 {
                assert!(!held || holder.acquire(Wait::No).await.unwrap());
                let done = dropped_after(&key, polls).await;
                holder.close().await.unwrap();
                until(&mut observer, &key, (0, 0)).await;
                if done {
                    break;
                }
                assert!(polls < 99, "it never completes");
            }
        }
    })
    .await;
}

/// Whether a pair over a client of its own was done after so many polls.
async fn dropped_after(key: &str, polls: usize) -> bool {
    let mut owner = client().await;
    let mut one = Lock::new(&mut owner, key).unwrap();
    let pair = async {
        if one.acquire(Duration::from_millis(30)).await.unwrap() {
            one.release().await.unwrap();
        }
    };
    polled(pair, polls).await.is_some()
}

#[tokio::test]
async fn a_dropped_guard_of_a_lent_client_releases_and_the_next_answer_is_right() {
    bounded(async {
        let key = fresh("drop-lent-guard");
        let (mut owner, mut other) = (client().await, lock(&key).await);
        for _ in 0..20 {
            let mut one = Lock::new(&mut owner, key.as_str()).unwrap();
            drop(one.lock().await.unwrap());
            assert!(matches!(one.acquire(Wait::No).await, Err(Error::Closed)));
            drop(one);
            assert!(other.acquire(Duration::from_secs(5)).await.unwrap());
            other.release().await.unwrap();
            assert_eq!(integer(&mut owner, "SELECT 77").await, 77);
        }
    })
    .await;
}

#[tokio::test]
async fn a_dropped_wait_of_a_transaction_is_gone_with_its_client() {
    bounded(async {
        let (key, before) = (fresh("drop-xact"), fresh("drop-xact-before"));
        let mut holder = lock(&key).await;
        let (mut owner, mut observer) = (client().await, client().await);
        holder.acquire(Wait::No).await.unwrap();
        owner.begin_transaction().await.unwrap();
        XactLock::new(&mut owner, before.as_str()).unwrap().lock().await.unwrap();
        let mut one = XactLock::new(&mut owner, key.as_str()).unwrap();
        assert!(tokio::time::timeout(Duration::from_millis(60), one.lock()).await.is_err());
        assert!(!one.is_locked() && one.session().is_none());
        assert!(matches!(one.try_lock().await, Err(Error::Closed)));
        drop(one);
        drop(owner);
        until(&mut observer, &key, (1, 0)).await;
        until(&mut observer, &before, (0, 0)).await;
    })
    .await;
}

#[tokio::test]
async fn a_wait_dropped_with_its_lock_off_the_runtime_leaves_nobody_waiting() {
    bounded(async {
        let key = fresh("drop-thread");
        let (mut holder, mut one) = (lock(&key).await, lock(&key).await);
        let mut observer = client().await;
        holder.acquire(Wait::No).await.unwrap();
        let waiting = one.acquire(Wait::Forever);
        assert!(tokio::time::timeout(Duration::from_millis(60), waiting).await.is_err());
        std::thread::spawn(move || drop(one)).join().unwrap();
        until(&mut observer, &key, (1, 0)).await;
    })
    .await;
}
