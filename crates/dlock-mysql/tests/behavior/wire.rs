//! What goes over the wire.

use crate::server::{Flavour, address, conn, holder, through, until_awaited};
use dlock_core::Wait;
use dlock_mysql::Lock;
use dlock_mysql::mysql_async::Conn;
use dlock_testkit::cases::fresh_key;
use dlock_testkit::proxy::Proxy;
use futures::future::join;
use std::time::Duration;

async fn lock_through<E: Flavour>(proxy: &Proxy, key: &str) -> Lock {
    let conn = Conn::new(through::<E>(proxy.addr())).await.unwrap();
    proxy.reset();
    Lock::new(conn, key).unwrap()
}

/// One to acquire and one to release, on a connection that never sent anything before.
pub(crate) async fn round_trips<E: Flavour>() {
    let proxy = Proxy::start(address::<E>()).unwrap();
    for wait in [Wait::No, Wait::For(Duration::from_millis(1500)), Wait::Forever] {
        let mut lock = lock_through::<E>(&proxy, &fresh_key("trips")).await;
        assert!(lock.acquire(wait).await.unwrap());
        assert_eq!(proxy.round_trips(), 1, "{wait:?}");
        lock.release().await.unwrap();
        assert_eq!(proxy.round_trips(), 2, "{wait:?}");
        assert!(!lock.is_locked());
        drop(lock.into_session().await.unwrap());
    }
}

/// A wait sends its statement and then nothing, on one connection, until the key is there. Before the first
/// one, and whenever the caller had the session, it asks whether the key is free.
pub(crate) async fn no_polling<E: Flavour>() {
    let (key, proxy) = (fresh_key("polling"), Proxy::start(address::<E>()).unwrap());
    let mut holding = Lock::new(conn::<E>().await, key.as_str()).unwrap();
    assert!(holding.acquire(Wait::No).await.unwrap());
    let mut lock = lock_through::<E>(&proxy, &key).await;
    let before = proxy.connections();
    for asked in [1, 0] {
        proxy.reset();
        let release = async {
            until_awaited(&mut conn::<E>().await, &key).await;
            let sent = proxy.bytes_up();
            tokio::time::sleep(Duration::from_millis(1200)).await;
            assert_eq!((proxy.bytes_up(), proxy.round_trips()), (sent, asked));
            holding.release().await.unwrap();
        };
        let (granted, ()) = join(lock.acquire(Wait::Forever), release).await;
        assert!(granted.unwrap());
        assert_eq!((proxy.round_trips(), proxy.connections()), (asked + 1, before));
        lock.release().await.unwrap();
        assert!(holding.acquire(Wait::No).await.unwrap());
    }
}

/// Waits around and beyond the longest that one statement can say.
pub(crate) async fn long_waits<E: Flavour>() {
    let key = fresh_key("long");
    let mut observer = conn::<E>().await;
    for limit in
        [Duration::from_millis(2_147_483_000), Duration::from_millis(2_147_483_001), Duration::MAX]
    {
        let mut holding = Lock::new(conn::<E>().await, key.as_str()).unwrap();
        assert!(holding.acquire(Wait::No).await.unwrap());
        let mut lock = Lock::new(conn::<E>().await, key.as_str()).unwrap();
        let release = async {
            until_awaited(&mut observer, &key).await;
            holding.release().await.unwrap();
        };
        let (granted, ()) = join(lock.acquire(limit), release).await;
        assert!(granted.unwrap(), "{limit:?}");
        lock.release().await.unwrap();
    }
    assert_eq!(holder(&mut observer, &key).await, None);
}
