use super::{bounded, client, fresh, lock, until};
use crate::server::{config, connect_through};
use dlock_core::{Error, Wait};
use dlock_mssql::Lock;
use dlock_testkit::proxy::Proxy;
use std::net::ToSocketAddrs;
use std::time::Duration;

async fn proxy() -> Proxy {
    let address = config().await.get_addr().to_socket_addrs().unwrap().next().unwrap();
    Proxy::start(address).unwrap()
}

/// Some servers end a session without a word.
#[tokio::test]
async fn a_wait_whose_connection_is_closed_was_interrupted() {
    bounded(async {
        let (key, proxy, mut observer) = (fresh("loss-wait"), proxy().await, client().await);
        let mut holder = lock(&key).await;
        holder.acquire(Wait::No).await.unwrap();
        for is_idle in [false, true] {
            let session = connect_through(proxy.addr(), &config().await).await;
            let mut one = Lock::new(session, key.as_str()).unwrap();
            let cut = async {
                if !is_idle {
                    until(&mut observer, &key, (1, 1)).await;
                    proxy.cut();
                }
            };
            if is_idle {
                proxy.cut();
            }
            let (answer, ()) = tokio::join!(one.acquire(Wait::Forever), cut);
            assert!(matches!(answer, Err(Error::Interrupted(Some(_)))), "{answer:?}");
            assert!(matches!(one.acquire(Wait::No).await, Err(Error::Closed)));
            one.close().await.unwrap();
        }
    })
    .await;
}

/// Nobody has heard from the server, which holds the key still.
#[tokio::test]
async fn a_server_that_has_gone_silent_is_never_said_to_have_let_go() {
    bounded(async {
        let (key, proxy, mut observer) = (fresh("loss-silent"), proxy().await, client().await);
        let session = connect_through(proxy.addr(), &config().await).await;
        let mut one = Lock::new(session, key.as_str()).unwrap();
        let guard = one.lock().await.unwrap();
        proxy.blackhole();
        drop(guard);
        assert!(matches!(one.close().await, Err(Error::Interrupted(_))));
        until(&mut observer, &key, (1, 0)).await;
        proxy.cut();
        one.close().await.unwrap();
        until(&mut observer, &key, (0, 0)).await;
    })
    .await;
}

/// The answer comes late, and is taken all the same.
#[tokio::test]
async fn a_release_that_is_answered_late_keeps_the_session() {
    bounded(async {
        let (key, proxy, mut observer) = (fresh("loss-late"), proxy().await, client().await);
        let session = connect_through(proxy.addr(), &config().await).await;
        let mut one = Lock::new(session, key.as_str()).unwrap();
        let guard = one.lock().await.unwrap();
        proxy.stall();
        drop(guard);
        tokio::time::sleep(Duration::from_secs(2)).await;
        proxy.resume();
        one.close().await.unwrap();
        until(&mut observer, &key, (0, 0)).await;
        assert!(one.acquire(Wait::No).await.unwrap());
        one.release().await.unwrap();
    })
    .await;
}
