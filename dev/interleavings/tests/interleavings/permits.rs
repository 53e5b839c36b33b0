//! Permits that are handed over in the process, and those who wait for them.

use crate::server::Server;
use crate::{check, locks};
use futures::future::{Either, select};
use shuttle::future::block_on;
use shuttle::thread;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::checked::advance;

const NAME: u32 = 1;

/// Time goes on: who looks for permits looks again and again.
fn clock() -> thread::JoinHandle<()> {
    thread::spawn(|| {
        for _ in 0..200 {
            advance(Duration::from_millis(10));
            thread::yield_now();
        }
    })
}

#[test]
fn never_more_than_there_are_and_nobody_is_forgotten() {
    check(1000, || {
        let server = Server::default();
        let locks = locks(&server);
        let semaphore = locks.semaphore(NAME, 1).expect("a name");
        let out = Arc::new(AtomicUsize::new(0));
        let callers = [0, 1, 2].map(|_| {
            let (semaphore, out) = (semaphore.clone(), Arc::clone(&out));
            thread::spawn(move || {
                block_on(async {
                    let permit = semaphore.acquire(None).await.expect("nothing fails");
                    assert_eq!(out.fetch_add(1, Ordering::SeqCst), 0, "one permit");
                    thread::yield_now();
                    out.fetch_sub(1, Ordering::SeqCst);
                    permit.release().await.expect("it was held");
                });
            })
        });
        let clock = clock();
        callers.into_iter().for_each(|caller| caller.join().unwrap());
        clock.join().unwrap();
    });
}

/// A permit is handed to one who goes away at that moment: the next has it.
#[test]
fn a_waiter_that_goes_away_as_it_is_served() {
    check(1000, || {
        let server = Server::default();
        let locks = locks(&server);
        let semaphore = locks.semaphore(NAME, 1).expect("a name");
        let permit = block_on(semaphore.acquire(None)).expect("a free permit");
        let waiters = [true, false].map(|gives_up| {
            let semaphore = semaphore.clone();
            thread::spawn(move || {
                block_on(async {
                    let asked = pin!(semaphore.acquire(None));
                    let given_up = async {
                        match gives_up {
                            true => thread::yield_now(),
                            false => std::future::pending().await,
                        }
                    };
                    if let Either::Left((permit, _)) = select(asked, pin!(given_up)).await {
                        permit.expect("nothing fails").release().await.expect("it was held");
                    }
                });
            })
        });
        thread::yield_now();
        drop(permit);
        let clock = clock();
        waiters.into_iter().for_each(|waiter| waiter.join().unwrap());
        clock.join().unwrap();
    });
}

/// A permit is lost and kept, while it is handed over or waited for.
#[test]
fn a_lost_permit_keeps_nobody_out() {
    check(1000, || {
        let server = Server::default();
        let locks = locks(&server);
        let semaphore = locks.semaphore(NAME, 1).expect("a name");
        let kept = block_on(semaphore.acquire(None)).expect("a free permit");
        let waiter = {
            let semaphore = semaphore.clone();
            thread::spawn(move || {
                let permit = block_on(semaphore.acquire(None)).expect("nothing fails");
                block_on(permit.release()).expect("it was held");
            })
        };
        server.kill_holder(NAME * 100 + 1);
        let clock = clock();
        waiter.join().unwrap();
        assert!(kept.is_lost());
        drop(kept);
        clock.join().unwrap();
        server.is_free_in_the_end(NAME * 100 + 1);
    });
}
