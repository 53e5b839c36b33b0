//! Connections of a pool.

use crate::server::{Flavour, conn, holder, opts, until_free};
use dlock_core::Wait;
use dlock_mysql::Lock;
use dlock_mysql::mysql_async::{Pool, PoolConstraints, PoolOpts};
use dlock_testkit::cases::fresh_key;

fn pool<E: Flavour>(reset: bool) -> Pool {
    let one = PoolConstraints::new(1, 1).unwrap();
    let options = PoolOpts::new().with_constraints(one).with_reset_connection(reset);
    Pool::new(opts::<E>().pool_opts(options))
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
