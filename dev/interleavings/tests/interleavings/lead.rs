//! Leaders of one process, one of which loses its lock at any moment: never two bodies.

use crate::server::Server;
use crate::{check, locks};
use shuttle::future::block_on;
use shuttle::sync::Mutex;
use shuttle::thread;
use std::ops::ControlFlow;
use std::sync::Arc;

const NAME: u32 = 1;

#[test]
fn never_two_bodies_and_each_comes_to_its_end() {
    check(2000, || {
        let server = Server::default();
        let locks = locks(&server);
        let office = Arc::new(Mutex::new(()));
        let leaders = [true, false].map(|is_killed| {
            let (locks, office, server) = (locks.clone(), Arc::clone(&office), server.clone());
            thread::spawn(move || {
                let mut is_killed = is_killed;
                let led = block_on(locks.lead(NAME, async |_term| {
                    let alone = office.try_lock().expect("one body");
                    if std::mem::take(&mut is_killed) {
                        server.kill_holder(NAME);
                        // Whatever is told meanwhile, this body has not ended.
                        (0..100).for_each(|_| thread::yield_now());
                    }
                    drop(alone);
                    ControlFlow::Break(())
                }));
                led.expect("nobody closes");
            })
        });
        leaders.into_iter().for_each(|leader| leader.join().unwrap());
        server.is_free_in_the_end(NAME);
    });
}

/// A resignation meets the end of the body, the loss of the lock, and the next in the process.
#[test]
fn a_resignation_lets_go() {
    check(2000, || {
        let server = Server::default();
        let locks = locks(&server);
        let next = {
            let locks = locks.clone();
            thread::spawn(move || block_on(locks.lock(NAME)).map(drop).expect("a lock"))
        };
        let mut terms = 0;
        let led = block_on(locks.lead(NAME, async |term| {
            terms += 1;
            if terms > 1 {
                return ControlFlow::Break(terms);
            }
            let resigns = thread::spawn({
                let term = term.clone();
                move || term.resign()
            });
            term.cancelled().cancelled().await;
            resigns.join().unwrap();
            ControlFlow::Continue(())
        }));
        assert_eq!(led.expect("nobody closes"), 2);
        next.join().unwrap();
        server.is_free_in_the_end(NAME);
    });
}
