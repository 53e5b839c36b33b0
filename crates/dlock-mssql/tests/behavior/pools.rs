//! Clients of pools: owned ([`Pooled`]), and lent.

use super::{bounded, client, fresh, lock, until};
use crate::server::{Tcp, config, integer};
use dlock_core::{Error, Wait};
use dlock_mssql::{Lock, Pooled, Stream};
use dlock_testkit::polled::polled;
use futures::io::{AsyncRead, AsyncWrite};
use std::io;
use std::ops::{Deref, DerefMut};
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;
use tiberius::Client;
use tokio::net::TcpStream;
use tokio::task::coop::unconstrained;
use tokio_util::compat::{Compat, TokioAsyncWriteCompatExt};

/// A pool that asks nothing when a client comes back.
struct Pool<T: Stream>(Arc<Mutex<Vec<Client<T>>>>);

impl<T: Stream> Pool<T> {
    fn of(client: Client<T>) -> (Self, Object<T>) {
        let pool = Self(Arc::default());
        let object = Object { client: Some(client), pool: Arc::clone(&pool.0) };
        (pool, object)
    }

    /// A client that came back.
    async fn returned(&self) -> Client<T> {
        loop {
            if let Some(client) = self.0.lock().unwrap().pop() {
                return client;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
}

/// A client that a pool has lent out.
struct Object<T: Stream> {
    client: Option<Client<T>>,
    pool: Arc<Mutex<Vec<Client<T>>>>,
}

impl<T: Stream> Deref for Object<T> {
    type Target = Client<T>;

    fn deref(&self) -> &Client<T> {
        self.client.as_ref().unwrap()
    }
}

impl<T: Stream> DerefMut for Object<T> {
    fn deref_mut(&mut self) -> &mut Client<T> {
        self.client.as_mut().unwrap()
    }
}

impl<T: Stream> Drop for Object<T> {
    fn drop(&mut self) {
        self.pool.lock().unwrap().extend(self.client.take());
    }
}

/// What a pool's check says of a client.
async fn is_refused<T: Stream>(client: &mut Client<T>) -> bool {
    match client.simple_query("SELECT 1").await {
        Ok(answer) => {
            let row = answer.into_row().await.unwrap().unwrap();
            assert_eq!(row.get::<i32, _>(0), Some(1));
            false
        }
        Err(_) => true,
    }
}

#[tokio::test]
async fn what_a_lock_owned_comes_back_clean() {
    bounded(async {
        let (key, mut observer) = (fresh("pool-owned"), client().await);
        let (pool, object) = Pool::of(client().await);
        let guard = Lock::new(Pooled(object), key.as_str()).unwrap().lock_owned().await.unwrap();
        drop(guard);
        let mut client = pool.returned().await;
        until(&mut observer, &key, (0, 0)).await;
        assert!(!is_refused(&mut client).await);
        let (pool, object) = Pool::of(client);
        let mut one = Lock::new(Pooled(object), key.as_str()).unwrap();
        one.with(Wait::No, async |session| assert_eq!(integer(session, "SELECT 2").await, 2))
            .await
            .unwrap();
        drop(one.into_session().await.unwrap());
        assert!(!is_refused(&mut pool.returned().await).await);
    })
    .await;
}

/// Dropped before, in and after its wait.
#[tokio::test]
async fn what_a_dropped_wait_owned_comes_back_clean() {
    bounded(async {
        let (key, mut observer) = (fresh("pool-wait"), client().await);
        let mut session = client().await;
        for is_held in [false, true] {
            let mut holder = lock(&key).await;
            assert!(!is_held || holder.acquire(Wait::No).await.unwrap());
            for polls in 0..4 {
                let (pool, object) = Pool::of(session);
                let mut one = Lock::new(Pooled(object), key.as_str()).unwrap();
                drop(polled(one.acquire(Duration::from_millis(30)), polls).await);
                drop(one);
                session = pool.returned().await;
                until(&mut observer, &key, (usize::from(is_held), 0)).await;
                assert!(!is_refused(&mut session).await, "after {polls}");
            }
        }
    })
    .await;
}

/// The wait is off the server's queue at once, and whoever has the client next is told.
#[tokio::test]
async fn a_lent_client_whose_wait_was_dropped_is_refused() {
    bounded(async {
        let (key, mut observer) = (fresh("pool-lent"), client().await);
        let mut holder = lock(&key).await;
        assert!(holder.acquire(Wait::No).await.unwrap());
        let (pool, mut object) = Pool::of(client().await);
        let mut one = Lock::new(&mut *object, key.as_str()).unwrap();
        let waiting = one.acquire(Wait::Forever);
        assert!(tokio::time::timeout(Duration::from_millis(60), waiting).await.is_err());
        drop(one);
        until(&mut observer, &key, (1, 0)).await;
        drop(object);
        holder.release().await.unwrap();
        let mut next = pool.returned().await;
        assert!(is_refused(&mut next).await);
        let mut again = Lock::new(&mut next, key.as_str()).unwrap();
        assert!(again.acquire(Wait::No).await.is_err() && !again.is_locked());
        until(&mut observer, &key, (0, 0)).await;
    })
    .await;
}

/// At every poll the next one gets its own answer, or is refused.
#[tokio::test]
async fn a_lent_client_is_clean_or_refused_wherever_its_call_was_dropped() {
    bounded(async {
        let key = fresh("pool-lent-polls");
        for is_held in [false, true] {
            let mut holder = lock(&key).await;
            assert!(!is_held || holder.acquire(Wait::No).await.unwrap());
            for polls in 0..12 {
                let mut lent = client().await;
                let mut one = Lock::new(&mut lent, key.as_str()).unwrap();
                let pair = async {
                    if one.acquire(Duration::from_millis(5)).await.unwrap() {
                        one.release().await.unwrap();
                    }
                };
                let _ = polled(pair, polls).await;
                drop(one);
                if is_refused(&mut lent).await {
                    drop(lent);
                } else {
                    until(&mut lent, &key, (usize::from(is_held), 0)).await;
                }
            }
        }
    })
    .await;
}

/// With its runtime gone an exchange cannot be ended, only cut off.
#[test]
fn what_a_runtime_took_with_it_is_refused_or_clean() {
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (own, ended, key) = (runtime(), runtime(), fresh("pool-runtime"));
    let session = own.block_on(client());
    let mut holder = own.block_on(lock(&key));
    assert!(own.block_on(holder.acquire(Wait::No)).unwrap());
    let (pool, object) = Pool::of(session);
    ended.block_on(async {
        let mut one = Lock::new(Pooled(object), key.as_str()).unwrap();
        tokio::spawn(async move { one.acquire(Wait::Forever).await.map_err(drop) });
        until(&mut client().await, &key, (1, 1)).await;
    });
    drop(ended);
    own.block_on(bounded(async {
        let mut client = pool.returned().await;
        assert!(is_refused(&mut client).await);
        until(&mut super::client().await, &key, (1, 0)).await;
    }));
}

/// The caller has cancelled a statement that was answered already: the driver is one answer behind.
#[tokio::test]
async fn a_client_that_is_one_answer_behind_is_refused() {
    bounded(async {
        let (key, mut observer) = (fresh("pool-behind"), client().await);
        let (pool, object) = Pool::of(client().await);
        let mut guard =
            Lock::new(Pooled(object), key.as_str()).unwrap().lock_owned().await.unwrap();
        let session: &mut Tcp = guard.session();
        assert!(polled(session.simple_query("SELECT 1"), 1).await.is_none());
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert!(session.cancel_query().await.is_err());
        let mut lock = guard.release().await.unwrap_err().lock;
        assert!(lock.session().is_none());
        drop(lock.close().await);
        drop(lock);
        assert!(is_refused(&mut pool.returned().await).await);
        until(&mut observer, &key, (0, 0)).await;
    })
    .await;
}

/// A stream that writes whatever is left of the task's budget, as those of other runtimes do.
struct Eager(Compat<TcpStream>);

impl AsyncRead for Eager {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_read(context, into)
    }
}

impl AsyncWrite for Eager {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        from: &[u8],
    ) -> Poll<io::Result<usize>> {
        let inner = &mut self.0;
        let write = std::future::poll_fn(|context| Pin::new(&mut *inner).poll_write(context, from));
        std::future::Future::poll(pin!(unconstrained(write)), context)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_close(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_close(context)
    }
}

#[tokio::test]
async fn what_cannot_be_made_to_refuse_never_comes_back() {
    bounded(async {
        let (key, config) = (fresh("pool-eager"), config().await);
        let stream = TcpStream::connect(config.get_addr()).await.unwrap().compat_write();
        let session = Client::connect(config, Eager(stream)).await.unwrap();
        let (pool, object) = Pool::of(session);
        let mut one = Lock::new(Pooled(object), key.as_str()).unwrap();
        assert!(one.acquire(Wait::No).await.unwrap());
        let session = one.session().unwrap();
        assert!(polled(session.simple_query("SELECT 1"), 1).await.is_none());
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert!(session.cancel_query().await.is_err());
        assert!(matches!(one.release().await, Err(Error::Lost(_))));
        drop(one);
        assert!(pool.0.lock().unwrap().is_empty());
    })
    .await;
}
