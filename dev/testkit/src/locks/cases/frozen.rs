//! Promise: a server that stands still, goes away or comes back is told and borne; a client that stands still
//! does nothing afterwards.

use crate::cases::fresh_key;
use crate::locks::bounds::{BUSY, TRUST, in_time, ms, until_nothing, until_waiting};
use crate::locks::client::Client;
use crate::locks::fixture::{MachineFixture, ProcessFixture};
use dlock_locks::{Error, LostReason};
use std::time::{Duration, Instant};

/// The holder is told in time, and before another holds when the server goes on.
pub(in crate::locks) async fn server<F: MachineFixture>(fixture: F) {
    let (key, [one, other]) = (fresh_key("frozen"), fixture.processes());
    for pause in [ms(3100), ms(4200)] {
        let held = in_time(one.lock(F::key(&key))).await.expect("a lock");
        let waits = tokio::spawn({
            let (other, key) = (other.clone(), key.clone());
            async move { other.lock(F::key(&key)).await.map(|held| (held, Instant::now())) }
        });
        until_waiting(&fixture, &key).await;
        fixture.freeze().await;
        let begun = Instant::now();
        let told = async {
            let lost = held.lost().await;
            assert_eq!(lost.reason(), LostReason::Silent);
            Instant::now()
        };
        let thaw = async {
            tokio::time::sleep(pause).await;
            fixture.thaw().await;
        };
        let (told, ()) = in_time(async { tokio::join!(told, thaw) }).await;
        assert!(told - begun < TRUST + BUSY, "{:?}", told - begun);
        let (next, granted) = in_time(waits).await.expect("no panic").expect("a lock");
        assert!(told < granted, "told {:?} after another held", told - granted);
        drop(next);
    }
    in_time(one.lock(F::key(&key))).await.expect("a lock").release().await.expect("a release");
}

/// A pause that is shorter than trust is borne.
pub(in crate::locks) async fn server_for_a_moment<F: MachineFixture>(fixture: F) {
    let (key, locks) = (fresh_key("moment"), fixture.process());
    let held = in_time(locks.lock(F::key(&key))).await.expect("a lock");
    for _ in 0..3 {
        fixture.freeze().await;
        tokio::time::sleep(ms(1000)).await;
        fixture.thaw().await;
        tokio::time::sleep(ms(500)).await;
    }
    assert!(!held.is_lost());
    in_time(held.release()).await.expect("a release");
}

/// It is gone, calls say so in time, and when it is back all goes on.
pub(in crate::locks) async fn server_that_comes_back<F: MachineFixture>(fixture: F) {
    let (key, locks) = (fresh_key("back"), fixture.process());
    let held = in_time(locks.lock(F::key(&key))).await.expect("a lock");
    fixture.stop().await;
    in_time(held.lost()).await;
    assert!(matches!(in_time(held.release()).await, Err(Error::Lost(_))));
    let waits = tokio::spawn({
        let (locks, key) = (locks.clone(), key.clone());
        async move { locks.lock_within(F::key(&key), Duration::from_secs(50)).await }
    });
    let refused = in_time(locks.try_lock(F::key(&fresh_key("gone")))).await;
    assert!(matches!(refused, Err(Error::NoSession { .. })), "{refused:?}");
    let begun = Instant::now();
    let refused = in_time(locks.lock_within(F::key(&fresh_key("gone")), ms(800))).await;
    assert!(
        matches!(refused, Err(Error::NoSession { .. } | Error::TimedOut { .. })),
        "{refused:?}"
    );
    assert!(begun.elapsed() < ms(800) + BUSY, "{:?}", begun.elapsed());
    fixture.start().await;
    let waited = in_time(waits).await.expect("no panic");
    match waited {
        Ok(held) => in_time(held.release()).await.expect("a release"),
        // After five seconds without a server it is told.
        Err(error) => assert!(matches!(error, Error::NoSession { .. }), "{error:?}"),
    }
    let held = in_time(locks.lock(F::key(&key))).await.expect("a lock");
    assert!(!held.is_lost());
    in_time(held.release()).await.expect("a release");
    until_nothing(&fixture, &key).await;
}

/// A client that was stopped for longer than its lease has lost, and its work does not go on.
pub(in crate::locks) async fn client<F: ProcessFixture>(fixture: F) {
    let other = fixture.process();
    for pause in [ms(3500), ms(5000)] {
        let key = fresh_key("client");
        let mut client = Client::start(&fixture.url(), &key, 1).await;
        let waits = tokio::spawn({
            let (other, key) = (other.clone(), format!("{key} 0"));
            async move { other.lock(F::key(&key)).await.map(|held| (held, Client::now())) }
        });
        tokio::time::sleep(ms(400)).await;
        client.stop();
        tokio::time::sleep(pause).await;
        let granted = match F::HAS_LEASE {
            true => Some(in_time(waits).await.expect("no panic").expect("a lock").1),
            false => None,
        };
        client.go_on();
        let ends = in_time(client.ends()).await;
        let [end] = ends.as_slice() else { panic!("one key, and {ends:?}") };
        assert!(end.late <= 1, "the work went on after the loss: {end:?}");
        if let Some(granted) = granted {
            assert!(end.worked < granted, "held {:?} after another", end.worked - granted);
        }
    }
}
