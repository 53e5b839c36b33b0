//! A close, and whatever is asked at that moment.

use crate::server::Server;
use crate::{check, locks};
use interleaved_locks::{Error, Locks};
use shuttle::future::block_on;
use shuttle::thread;

const KEY: u32 = 1;

fn while_closed(count: usize, call: impl Fn(&Locks<Server>) + Clone + Send + Sync + 'static) {
    check(count, move || {
        let server = Server::default();
        let locks = locks(&server);
        let closers = [locks.clone(), locks.clone()]
            .map(|locks| thread::spawn(move || block_on(locks.close())));
        call(&locks);
        closers.into_iter().for_each(|closer| closer.join().unwrap());
        assert!(matches!(block_on(locks.lock(KEY)), Err(Error::Closed)));
        server.is_free_in_the_end(KEY);
    });
}

#[test]
fn a_request_is_answered() {
    while_closed(2000, |locks| match block_on(locks.lock(KEY)) {
        Ok(held) => {
            let released = block_on(held.release());
            assert!(matches!(released, Ok(()) | Err(Error::Lost(_))), "{released:?}");
        }
        Err(error) => assert!(matches!(error, Error::Closed), "{error:?}"),
    });
}

#[test]
fn a_loss_by_it_is_told() {
    while_closed(1000, |locks| {
        if let Ok(held) = block_on(locks.lock(KEY)) {
            assert!(!held.mode().is_compatible_with_itself());
            block_on(held.lost());
        }
    });
}

#[test]
fn figures_and_connections_are_answered() {
    while_closed(1000, |locks| {
        let stats = block_on(locks.stats());
        assert!(matches!(stats, Ok(_) | Err(Error::Closed)), "{stats:?}");
    });
}

#[test]
fn several_keys_are_had_or_not() {
    while_closed(1000, |locks| {
        let held = block_on(locks.lock_all([KEY, 2, 3], None));
        assert!(matches!(held, Ok(_) | Err(Error::Closed)), "{:?}", held.err());
    });
}

#[test]
fn a_leader_leaves() {
    while_closed(1000, |locks| {
        let led = block_on(locks.lead(KEY, async |_term| std::ops::ControlFlow::Break(7)));
        assert!(matches!(led, Ok(7) | Err(Error::Closed)), "{led:?}");
    });
}

#[test]
fn who_waits_for_a_permit_is_told() {
    while_closed(1000, |locks| {
        let semaphore = locks.semaphore(KEY, 1).expect("a name");
        let permit = block_on(semaphore.acquire(None));
        assert!(matches!(permit, Ok(_) | Err(Error::Closed)), "{:?}", permit.err());
    });
}
