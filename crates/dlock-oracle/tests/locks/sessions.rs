//! How sessions are used, and how they end.

use crate::bench::Bench;
use dlock_oracle::Key;
use std::time::{Duration, Instant};

fn sessions(bench: &Bench) -> usize {
    let text = "select count(*) from v$session where module = :1";
    bench.observer.query_row_as::<usize>(text, &[&bench.name]).expect("V$SESSION can be read")
}

pub(crate) async fn many_keys() {
    let bench = Bench::new("many keys");
    let locks = bench.locks();
    let keys = Vec::from_iter((0..200_u32).map(|number| 72_000 + number));
    let asked = Instant::now();
    let taken = keys.iter().map(|key| locks.lock(*key));
    let holds = futures::future::try_join_all(taken).await.expect("locks");
    println!("{} keys were taken in {:?}", holds.len(), asked.elapsed());
    for key in &keys {
        assert_eq!(bench.seen(Key::try_from(*key).unwrap()), (1, 0), "{key}");
    }
    assert_eq!(locks.stats().await.expect("counts").sessions, 1);
    let released = holds.into_iter().map(|held| held.release());
    futures::future::try_join_all(released).await.expect("releases");
    for key in keys {
        assert_eq!(bench.seen(Key::try_from(key).unwrap()), (0, 0), "{key}");
    }
}

/// Whatever is asked for while an answer is under way goes out as one call.
pub(crate) async fn round_trips() {
    let bench = Bench::new("round trips");
    let locks = bench.locks();
    drop(locks.lock("round trips warm").await.expect("a lock"));
    bench.until("round trips warm", (0, 0)).await;
    let calls = || {
        let text = "select standin_calls from v$session where module = :1";
        bench.observer.query_row_as::<usize>(text, &[&bench.name]).expect("one session")
    };
    let before = calls();
    let keys = Vec::from_iter((0..200_u32).map(|number| 73_000 + number));
    let taken = keys.iter().map(|key| locks.lock(*key));
    let holds = futures::future::try_join_all(taken).await.expect("locks");
    let taken = calls() - before;
    let released = holds.into_iter().map(|held| held.release());
    futures::future::try_join_all(released).await.expect("releases");
    let released = calls() - before - taken;
    assert!(taken <= 4 && released <= 4, "{taken} and {released} calls");
}

/// A session of a pool never goes back to it.
pub(crate) async fn of_a_pool() {
    let bench = Bench::new("of a pool");
    let pool = bench.place.pool();
    let [one, other] = [bench.locks_over(pool.clone()), bench.locks_over(pool.clone())];
    let held = one.lock("of a pool k").await.expect("a lock");
    assert!(other.try_lock("of a pool k").await.expect("an answer").is_none());
    held.release().await.expect("a release");
    other.lock("of a pool k").await.expect("a lock").release().await.expect("a release");
    one.close().await;
    other.close().await;
    assert_eq!(sessions(&bench), 0);
}

/// What was held is free, and what waited is told, when `close` returns.
pub(crate) async fn closed() {
    let bench = Bench::new("closed");
    let [one, other] = [bench.locks(), bench.locks()];
    let (held, theirs) =
        (one.lock("closed k").await.unwrap(), other.lock("closed theirs").await.unwrap());
    let waits = tokio::spawn({
        let one = one.clone();
        async move { one.lock("closed theirs").await.map(drop) }
    });
    bench.until("closed theirs", (1, 1)).await;
    let begun = Instant::now();
    one.close().await;
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    assert!(held.is_lost() && waits.await.unwrap().is_err());
    assert_eq!((bench.seen("closed k"), bench.seen("closed theirs")), ((0, 0), (1, 0)));
    drop(theirs);
    other.close().await;
    assert_eq!(sessions(&bench), 0);
}

/// A runtime shuts down while somebody waits, and nothing stays behind.
pub(crate) async fn runtime_ends() {
    let bench = Bench::new("runtime ends");
    let other = bench.locks();
    let held = other.lock("runtime ends k").await.unwrap();
    let locks = bench.locks();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.spawn(async move {
        let beside = locks.lock("runtime ends beside").await.unwrap();
        drop((locks.lock("runtime ends k").await, beside));
    });
    bench.until("runtime ends k", (1, 1)).await;
    runtime.shutdown_background();
    bench.until("runtime ends k", (1, 0)).await;
    bench.until("runtime ends beside", (0, 0)).await;
    held.release().await.unwrap();
    bench.until("runtime ends k", (0, 0)).await;
}
