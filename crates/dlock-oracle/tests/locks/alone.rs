//! Locks that have a session to themselves.

use crate::bench::Bench;
use dlock_oracle::Mode;
use std::time::{Duration, Instant};

pub(crate) async fn lends_its_session() {
    let bench = Bench::new("alone");
    let [one, other] = [bench.locks(), bench.locks()];
    let mut held = one.key("lends its session k").unwrap().alone().lock().await.unwrap();
    assert!(other.try_lock("lends its session k").await.unwrap().is_none());
    let module = "select sys_context('userenv', 'module') from dual";
    assert_eq!(held.session().query_row_as::<String>(module, &[]).unwrap(), bench.name);
    held.release().await.unwrap();
    bench.until("lends its session k", (0, 0)).await;
    let request = one.key("lends its session k").unwrap().mode(Mode::SS).alone();
    let held = request.lock_within(Duration::from_secs(5)).await.unwrap();
    let beside = other.key("lends its session k").unwrap().mode(Mode::SX).try_lock().await.unwrap();
    assert!(beside.is_some() && request.try_lock().await.unwrap().is_some());
    drop((held, beside));
    bench.until("lends its session k", (0, 0)).await;
}

/// The session ends, and what runs on it.
pub(crate) async fn aborts() {
    let bench = Bench::new("alone aborts");
    let locks = bench.locks();
    let mut held = locks.key("aborts k").unwrap().alone().lock().await.unwrap();
    held.session().execute("begin null; end;", &[]).unwrap();
    let begun = Instant::now();
    held.abort().await.unwrap();
    assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
    assert_eq!(bench.seen("aborts k"), (0, 0));
}
