//! Sessions whose statements and transactions are limited, and waits that outlast that.

use crate::eye::{Eye, address, config, connect, show, towards};
use crate::own::{open, pair};
use dlock_core::Wait;
use dlock_postgres::{Lock, Session};
use dlock_testkit::proxy::Proxy;
use futures::future::join;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

/// What limits transactions, from version 17 on.
const LIMIT_TRANSACTIONS: &str = "SELECT CASE WHEN current_setting('transaction_timeout',true) IS NOT NULL \
     THEN set_config('transaction_timeout','60',false) END";

/// A wait outlasts the session's own limits, whenever those were set, and leaves them as they were.
#[tokio::test]
async fn waits_outlast_the_sessions_limits() {
    let limits = "-c statement_timeout=60 -c lock_timeout=50";
    for (options, later, limit) in [
        (limits, "SELECT 1", "60ms"),
        ("", "SET statement_timeout=60", "60ms"),
        ("", LIMIT_TRANSACTIONS, "0"),
    ] {
        let session = open(config().options(options)).await;
        let mut lock = Lock::new(session, "own-limits").unwrap();
        for wait in [Wait::No, Wait::Forever, Wait::For(SECOND)] {
            pair(&mut lock, wait).await;
        }
        lock.session().unwrap().batch_execute(later).await.unwrap();
        for wait in [Wait::Forever, Wait::For(SECOND * 5), Wait::Forever] {
            outlast(&mut lock, wait).await;
            let shown = show(lock.session().unwrap(), "SHOW statement_timeout").await;
            assert_eq!(shown, limit, "{later}");
        }
    }
}

/// Acquires and releases after a wait of 150 milliseconds.
async fn outlast(lock: &mut Lock<Session>, wait: Wait) {
    let (eye, mut holder) = (Eye::open().await, Lock::new(connect().await, lock.key()).unwrap());
    assert!(holder.acquire(Wait::No).await.unwrap());
    let release = async {
        eye.until(holder.key(), (1, 1)).await;
        tokio::time::sleep(Duration::from_millis(150)).await;
        holder.release().await.unwrap();
    };
    let (granted, ()) = join(lock.acquire(wait), release).await;
    assert!(granted.unwrap(), "{wait:?}");
    lock.release().await.unwrap();
}

/// A free key is one round trip also where the role limits its statements; a held one costs one more for
/// each slice.
#[tokio::test]
async fn round_trips_in_a_limited_session() {
    let proxy = Proxy::start(address()).unwrap();
    let mut config = towards(proxy.addr());
    let session = open(config.options("-c statement_timeout=5000")).await;
    let mut lock = Lock::new(session, "own-limited").unwrap();
    let mut holder = Lock::new(connect().await, "own-limited").unwrap();
    for (held, trips) in [(true, 2), (false, 1), (true, 2)] {
        assert!(!held || holder.acquire(Wait::No).await.unwrap());
        for _ in 0..3 {
            proxy.reset();
            assert_ne!(lock.acquire(Duration::from_millis(40)).await.unwrap(), held);
            assert_eq!(proxy.round_trips(), trips, "held: {held}");
            lock.close().await.unwrap();
        }
        holder.close().await.unwrap();
    }
}
