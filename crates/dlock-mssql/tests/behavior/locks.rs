use super::{bounded, client, fresh, lock, until};
use crate::server::{Tcp, config, connect_through, integer, run};
use dlock_core::{Error, Wait};
use dlock_mssql::{Lock, Mssql, OwnedGuard};
use dlock_testkit::proxy::Proxy;
use std::net::ToSocketAddrs;
use std::time::Duration;

#[tokio::test]
async fn a_second_lock_over_the_session_is_refused() {
    bounded(async {
        let key = fresh("reentry");
        let mut one = lock(&key).await;
        for wait in [Wait::No, Wait::For(Duration::from_millis(200)), Wait::Forever] {
            let mut guard = one.lock().await.unwrap();
            for shared in [false, true] {
                let inner = Lock::new(guard.session(), key.as_str()).unwrap();
                let mut inner = if shared { inner.shared() } else { inner };
                assert!(matches!(inner.acquire(wait).await, Err(Error::AlreadyHeld)), "{wait:?}");
                assert!(!inner.is_locked());
            }
            guard.release().await.unwrap();
            let mut observer = client().await;
            until(&mut observer, &key, (0, 0)).await;
        }
    })
    .await;
}

#[tokio::test]
async fn crossed_sessions_get_one_deadlock() {
    bounded(async {
        let (a, b) = (fresh("cross-a"), fresh("cross-b"));
        let (mut one, mut two) = (lock(&a).await, lock(&b).await);
        one.acquire(Wait::No).await.unwrap();
        two.acquire(Wait::No).await.unwrap();
        let cross = async |lock: &mut Lock<Tcp>, key: &str| {
            let mut inner = Lock::new(lock.session().unwrap(), key).unwrap();
            let answer = inner.acquire(Wait::Forever).await;
            let victim = matches!(answer, Err(Error::Deadlock(_)));
            assert_eq!(inner.is_locked(), !victim, "{answer:?}");
            inner.close().await.unwrap();
            drop(inner);
            assert!(lock.is_locked(), "what was held before is held still");
            lock.release().await.unwrap();
            victim
        };
        let (first, second) = tokio::join!(cross(&mut one, &b), cross(&mut two, &a));
        assert!(first ^ second, "one victim: {first} {second}");
    })
    .await;
}

#[tokio::test]
async fn a_release_of_what_is_not_held_is_a_loss_and_the_session_lives() {
    bounded(async {
        let key = fresh("lost");
        let mut one = lock(&key).await;
        one.acquire(Wait::No).await.unwrap();
        let release =
            format!("EXEC sp_releaseapplock @Resource = N'{key}', @LockOwner = 'Session'");
        run(one.session().unwrap(), &release).await;
        assert!(matches!(one.release().await, Err(Error::Lost(_))));
        assert!(!one.is_locked());
        assert!(one.acquire(Wait::No).await.unwrap());
        one.release().await.unwrap();
        assert_eq!(integer(one.session().unwrap(), "SELECT 77").await, 77);
    })
    .await;
}

#[tokio::test]
async fn acquiring_and_releasing_are_one_round_trip_each() {
    bounded(async {
        let config = config().await;
        let address = config.get_addr().to_socket_addrs().unwrap().next().unwrap();
        let proxy = Proxy::start(address).unwrap();
        let key = fresh("trips");
        let mut one =
            Lock::new(connect_through(proxy.addr(), &config).await, key.as_str()).unwrap();
        for wait in [Wait::No, Wait::For(Duration::from_secs(5)), Wait::Forever] {
            proxy.reset();
            assert!(one.acquire(wait).await.unwrap());
            assert_eq!(proxy.round_trips(), 1, "acquire {wait:?}");
            one.release().await.unwrap();
            assert_eq!(proxy.round_trips(), 2, "release {wait:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn the_session_is_the_same_before_and_after() {
    bounded(async {
        let key = fresh("same");
        let mut session = client().await;
        run(&mut session, "SET LOCK_TIMEOUT 1234; SET XACT_ABORT ON").await;
        let before = integer(&mut session, "SELECT CAST(@@SPID AS int)").await;
        let mut one = Lock::new(session, key.as_str()).unwrap();
        one.with(Duration::from_secs(5), async |_| ()).await.unwrap();
        let mut session = one.into_session().await.unwrap();
        assert_eq!(integer(&mut session, "SELECT CAST(@@SPID AS int)").await, before);
        assert_eq!(integer(&mut session, "SELECT @@LOCK_TIMEOUT").await, 1234);
        assert_eq!(integer(&mut session, "SELECT @@TRANCOUNT").await, 0);
    })
    .await;
}

#[tokio::test]
async fn one_constructor_takes_owned_and_lent_clients() {
    bounded(async {
        let key = fresh("constructor");
        let mut owner = client().await;
        let mut lent = dlock_core::lock::<Mssql, _, _>(&mut owner, key.as_str()).unwrap();
        assert!(lent.acquire(Wait::No).await.unwrap());
        lent.release().await.unwrap();
        let owned = dlock_core::lock::<Mssql, _, _>(client().await, key.as_str()).unwrap();
        let guard: OwnedGuard<Tcp> = owned.lock_owned().await.unwrap();
        let task = tokio::spawn(async move { guard.release().await.is_ok() });
        assert!(task.await.unwrap());
    })
    .await;
}
