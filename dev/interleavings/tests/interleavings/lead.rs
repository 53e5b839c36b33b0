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
        let leaders = [0, 1].map(|_| {
            let (locks, office) = (locks.clone(), Arc::clone(&office));
            thread::spawn(move || {
                let led = block_on(locks.lead(NAME, async |term| {
                    let alone = office.try_lock().expect("one body");
                    thread::yield_now();
                    shuttle::future::yield_now().await;
                    drop(alone);
                    if term.must_have(std::time::Duration::ZERO).is_err() {
                        return ControlFlow::Continue(());
                    }
                    ControlFlow::Break(())
                }));
                led.expect("nobody closes");
            })
        });
        server.kill_holder(NAME);
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
