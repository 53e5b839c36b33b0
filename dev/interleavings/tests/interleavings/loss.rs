//! A loss, and the call that gives the lock back.

use crate::server::Server;
use crate::{check, locks};
use interleaved_locks::{Error, LostReason};
use shuttle::future::block_on;
use shuttle::thread;
use std::time::Duration;
use tokio::checked::advance;

const KEY: u32 = 1;

/// Told once: a call that said `Ok` was no loss, and one that said `Lost` was one.
#[test]
fn a_session_that_ends_while_its_lock_is_released() {
    check(2000, || {
        let server = Server::default();
        let locks = locks(&server);
        let held = block_on(locks.lock(KEY)).expect("a free key");
        let lost = held.cancelled();
        let killer = {
            let server = server.clone();
            thread::spawn(move || server.kill_holder(KEY))
        };
        let released = block_on(held.release());
        killer.join().unwrap();
        assert!(matches!(released, Ok(()) | Err(Error::Lost(_))), "{released:?}");
        let stats = block_on(locks.stats()).expect("it is open");
        assert_eq!(stats.held, 0);
        assert!(stats.losses <= 1, "{stats:?}");
        assert_eq!(server.released(KEY), u32::from(released.is_ok()), "{released:?}");
        assert!(!lost.is_cancelled() || released.is_err(), "told of a loss that was none");
        server.is_free_in_the_end(KEY);
    });
}

/// The end of trust is seen by the caller's clock or by the engine's, or the release comes first.
#[test]
fn the_end_of_trust_while_a_lock_is_released() {
    check(2000, || {
        let server = Server::default();
        let locks = locks(&server);
        let held = block_on(locks.lock(KEY)).expect("a free key");
        let clock = thread::spawn(|| advance(Duration::from_secs(9)));
        let was_lost = held.is_lost();
        let released = block_on(held.release());
        clock.join().unwrap();
        match &released {
            Ok(()) => assert!(!was_lost),
            Err(Error::Lost(lost)) => assert_eq!(lost.reason(), LostReason::Silent),
            Err(error) => panic!("{error:?}"),
        }
        assert!(server.released(KEY) <= 1);
        server.is_free_in_the_end(KEY);
    });
}

/// Whoever waits for a loss is told of it, whichever thread sees it first.
#[test]
fn a_loss_is_told_to_all_who_wait_for_it() {
    check(2000, || {
        let server = Server::default();
        let locks = locks(&server);
        let held = std::sync::Arc::new(block_on(locks.lock(KEY)).expect("a free key"));
        let waits = {
            let held = std::sync::Arc::clone(&held);
            thread::spawn(move || block_on(held.lost()).reason())
        };
        let clock = thread::spawn(|| advance(Duration::from_secs(9)));
        server.kill_holder(KEY);
        let reason = waits.join().unwrap();
        clock.join().unwrap();
        assert!(held.is_lost());
        assert_eq!(block_on(held.lost()).reason(), reason, "told once");
        assert_eq!(held.trusted_for(), Some(Duration::ZERO));
        assert!(held.must_have(Duration::ZERO).is_err());
    });
}
