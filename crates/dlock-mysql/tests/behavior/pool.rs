//! Connections of a pool.

use crate::drops::drop_a_silent_wait;
use crate::server::{Flavour, address, conn, holder, number, opts, through, until_free};
use dlock_core::Wait;
use dlock_mysql::Lock;
use dlock_mysql::mysql_async::{OptsBuilder, Pool, PoolConstraints, PoolOpts, TxOpts};
use dlock_testkit::cases::fresh_key;
use dlock_testkit::proxy::Proxy;
use std::time::Duration;
use tokio::time::timeout;

fn pool<E: Flavour>(reset: bool) -> Pool {
    pool_of(opts::<E>(), reset)
}

fn pool_of(opts: OptsBuilder, reset: bool) -> Pool {
    let one = PoolConstraints::new(1, 1).unwrap();
    let options = PoolOpts::new().with_constraints(one).with_reset_connection(reset);
    Pool::new(opts.pool_opts(options))
}

/// A pool that resets frees what comes back locked.
pub(crate) async fn reset<E: Flavour>() {
    goes_around::<E>(pool::<E>(true)).await;
}

/// Without a reset, too: a dropped lock releases before its connection goes back.
pub(crate) async fn no_reset<E: Flavour>() {
    goes_around::<E>(pool::<E>(false)).await;
}

async fn goes_around<E: Flavour>(pool: Pool) {
    let mut observer = conn::<E>().await;
    for _ in 0..20 {
        let key = fresh_key("pool");
        let mut lock = Lock::new(pool.get_conn().await.unwrap(), key.as_str()).unwrap();
        assert!(lock.acquire(Wait::No).await.unwrap());
        assert!(holder(&mut observer, &key).await.is_some());
        drop(lock);
        until_free(&mut observer, &key).await;
        // By way of `into_session` the connection goes back as it came.
        let mut lock = Lock::new(pool.get_conn().await.unwrap(), key.as_str()).unwrap();
        assert!(lock.acquire(Wait::No).await.unwrap());
        drop(lock.into_session().await.unwrap());
        assert_eq!(holder(&mut observer, &key).await, None);
    }
    pool.disconnect().await.unwrap();
}

/// What the driver still had to do on a connection goes before the wait, and makes it forget that there is
/// one. A wait that is dropped, and cannot be ended in time, does not send the connection back to the pool
/// in the middle of its answer.
pub(crate) async fn mid_answer<E: Flavour>() {
    for reset in [false, true] {
        let (key, proxy) = (fresh_key("mid"), Proxy::start(address::<E>()).unwrap());
        let mut holding = Lock::new(conn::<E>().await, key.as_str()).unwrap();
        assert!(holding.acquire(Wait::No).await.unwrap());
        let pool = pool_of(through::<E>(proxy.addr()), reset);
        let mut session = pool.get_conn().await.unwrap();
        drop(session.start_transaction(TxOpts::new()).await.unwrap());
        let mut lock = Lock::new(session, key.as_str()).unwrap();
        let mut observer = conn::<E>().await;
        drop_a_silent_wait(&mut lock, &mut observer, &key, &proxy).await;
        drop(lock);
        proxy.resume();
        let mut next = timeout(Duration::from_secs(5), pool.get_conn()).await.unwrap().unwrap();
        holding.release().await.unwrap();
        assert_eq!(number(&mut next, "SELECT 7").await, Some(7), "reset: {reset}");
        until_free(&mut observer, &key).await;
        drop(next);
        pool.disconnect().await.unwrap();
    }
}
