//! A grant, and the caller that goes away.

use crate::server::Server;
use crate::{check, locks};
use futures::future::{Either, select};
use shuttle::future::block_on;
use shuttle::rand::{Rng, thread_rng};
use shuttle::sync::Mutex;
use shuttle::thread;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

const KEY: u32 = 1;

/// Completes after as many polls as chance will have it, or never.
async fn gives_up(does: bool) {
    let mut left = if does { thread_rng().gen_range(1..12) } else { u32::MAX };
    poll_fn(move |context| match left {
        0 => Poll::Ready(()),
        u32::MAX => Poll::Pending,
        _ => {
            left -= 1;
            context.waker().wake_by_ref();
            Poll::Pending
        }
    })
    .await;
}

/// The key is free again, while the factory lives.
#[test]
fn a_call_that_is_dropped_as_it_is_granted_holds_nothing() {
    check(2000, || {
        let server = Server::default();
        let locks = locks(&server);
        block_on(async {
            let asked = pin!(locks.lock(KEY));
            let given_up = pin!(gives_up(true));
            match select(asked, given_up).await {
                Either::Left((held, _)) => drop(held.expect("nothing else fails")),
                Either::Right(_) => {}
            }
        });
        server.is_free_in_the_end(KEY);
    });
}

/// Two of one process, one of another, and one of them gives up.
#[test]
fn never_two_holders_and_nobody_is_forgotten() {
    check(2000, || {
        let server = Server::default();
        let (ours, theirs) = (locks(&server), locks(&server));
        let inside = Arc::new(Mutex::new(()));
        let callers = [(&ours, false), (&ours, true), (&theirs, false)].map(|(locks, may_go)| {
            let (locks, inside) = (locks.clone(), Arc::clone(&inside));
            thread::spawn(move || {
                block_on(async {
                    let asked = pin!(locks.lock(KEY));
                    let given_up = pin!(gives_up(may_go));
                    let Either::Left((held, _)) = select(asked, given_up).await else { return };
                    let held = held.expect("nothing else fails");
                    let alone = inside.try_lock().expect("one holder");
                    thread::yield_now();
                    drop(alone);
                    held.release().await.expect("it was held");
                });
            })
        });
        callers.into_iter().for_each(|caller| caller.join().unwrap());
        server.is_free_in_the_end(KEY);
    });
}
