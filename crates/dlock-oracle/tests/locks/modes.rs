//! Oracle's six modes.

use crate::bench::Bench;
use dlock_core::Wait;
use dlock_locks::Error;
use dlock_oracle::Mode;
use futures::future::join_all;
use std::time::Duration;

const ALL: [Mode; 6] = [Mode::NL, Mode::SS, Mode::SX, Mode::S, Mode::SSX, Mode::X];

pub(crate) async fn readers_share() {
    let bench = Bench::new("readers share");
    let [one, other] = [bench.locks(), bench.locks()];
    let first = one.key("readers share k").expect("a key").shared().lock().await.expect("a lock");
    let second =
        other.key("readers share k").expect("a key").shared().lock().await.expect("a lock");
    assert_eq!(bench.seen("readers share k"), (2, 0));
    assert!(one.try_lock("readers share k").await.expect("an answer").is_none());
    assert_eq!((first.mode(), first.trusted_for()), (dlock_locks::Mode::Shared, None));
    drop((first, second));
    one.lock("readers share k").await.expect("a lock").release().await.expect("a release");
}

/// As the server's own table has it.
pub(crate) async fn matrix() {
    let bench = Bench::new("matrix");
    let [one, other] = [bench.locks(), bench.locks()];
    let compatible = ["111111", "111110", "111000", "110100", "110000", "100000"];
    for (held, row) in ALL.iter().zip(compatible) {
        let holder = one.key("matrix k").expect("a key").mode(*held).lock().await.expect("a lock");
        for (asked, expected) in ALL.iter().zip(row.chars()) {
            let request = other.key("matrix k").expect("a key").mode(*asked);
            let granted = request.try_lock().await.expect("an answer");
            assert_eq!(granted.is_some(), expected == '1', "{asked} beside {held}");
            if let Some(granted) = granted {
                granted.release().await.expect("a release");
            }
        }
        holder.release().await.expect("a release");
    }
}

pub(crate) async fn convert() {
    let bench = Bench::new("convert");
    let [one, other] = [bench.locks(), bench.locks()];
    let shared = other.key("convert k").expect("a key").shared().lock().await.expect("a lock");
    let held = one.key("convert k").expect("a key").mode(Mode::S).lock().await.expect("a lock");
    let (held, is_alone) = held.convert(Mode::X, Wait::No).await.expect("an answer");
    assert!(!is_alone && held.mode() == Mode::S.into());
    let limit = Duration::from_millis(1200);
    let (held, is_alone) = held.convert(Mode::X, limit).await.expect("an answer");
    assert!(!is_alone && held.mode() == Mode::S.into());
    let waits = tokio::spawn(held.convert(Mode::X, Wait::Forever));
    bench.until("convert k", (2, 1)).await;
    shared.release().await.expect("a release");
    let (held, is_alone) = waits.await.expect("no panic").expect("an answer");
    assert!(is_alone && held.mode() == Mode::X.into());
    assert!(other.try_lock("convert k").await.expect("an answer").is_none());
    let (held, is_less) = held.convert(Mode::SS, Wait::No).await.expect("an answer");
    assert!(is_less);
    let beside = other.key("convert k").expect("a key").mode(Mode::SX).try_lock().await;
    beside.expect("an answer").expect("a lock").release().await.expect("a release");
    held.release().await.expect("a release");
}

/// No deadlock is told: both wait until their time is over, and hold what they held.
pub(crate) async fn crossed_conversions() {
    let bench = Bench::new("crossed conversions");
    let [one, other] = [bench.locks(), bench.locks()];
    let mut holds = Vec::new();
    for locks in [&one, &other] {
        let held = locks
            .key("crossed conversions k")
            .expect("a key")
            .mode(Mode::S)
            .lock()
            .await
            .expect("a lock");
        holds.push(held);
    }
    let limit = Duration::from_millis(1200);
    let waits = holds.into_iter().map(|held| held.convert(Mode::X, limit));
    for answer in join_all(waits).await {
        let (held, is_alone) = answer.expect("an answer");
        assert!(!is_alone && !held.is_lost());
        held.release().await.expect("a release");
    }
    let dropped = one
        .key("crossed conversions k")
        .expect("a key")
        .mode(Mode::S)
        .lock()
        .await
        .expect("a lock");
    let shared =
        other.key("crossed conversions k").expect("a key").shared().lock().await.expect("a lock");
    let wait = tokio::time::timeout(Duration::from_millis(50), dropped.convert(Mode::X, None));
    assert!(wait.await.is_err());
    shared.release().await.expect("a release");
    let refused = other.lock_within("crossed conversions k", Duration::from_secs(8)).await;
    assert!(!matches!(refused, Err(Error::TimedOut { .. })), "a dropped conversion still holds");
}

/// Its session has other keys to serve, and a wait would keep those waiting.
pub(crate) async fn what_was_not_asked_for_by_its_mode_is_not_converted() {
    let bench = Bench::new("plain convert");
    let [one, other] = [bench.locks(), bench.locks()];
    let held = one.lock("plain convert k").await.expect("a lock");
    let (held, is_less) = held.convert(Mode::S, Wait::Forever).await.expect("an answer");
    assert!(!is_less && held.mode() == Mode::X.into());
    let shared = other.key("plain convert k").expect("a key").shared();
    assert!(shared.try_lock().await.expect("an answer").is_none());
    one.lock("plain convert other").await.expect("a lock").release().await.expect("a release");
    held.release().await.expect("a release");
}

/// Who waits in this process does not get a key of which nobody knows the mode.
pub(crate) async fn a_dropped_conversion_is_not_handed_over() {
    let bench = Bench::new("dropped convert");
    let [one, other] = [bench.locks(), bench.locks()];
    for millis in [0, 1, 2, 5] {
        let request = one.key("dropped convert k").expect("a key").mode(Mode::X);
        let held = request.lock().await.expect("a lock");
        let waits = tokio::spawn({
            let one = one.clone();
            async move { one.lock("dropped convert k").await }
        });
        let converting = held.convert(Mode::S, Wait::Forever);
        drop(tokio::time::timeout(Duration::from_millis(millis), converting).await);
        let alone = waits.await.expect("no panic").expect("a lock");
        let shared = other.key("dropped convert k").expect("a key").shared();
        assert!(shared.try_lock().await.expect("an answer").is_none(), "after {millis} ms");
        alone.release().await.expect("a release");
    }
}
