//! Runtimes that cannot do what most can, and none at all.

use crate::bench::{Bench, echo};
use dlock_core::Wait;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};

const SHORT: Duration = Duration::from_millis(50);

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Drives a future on this thread, without a runtime.
fn block_on<F: Future>(future: F) -> F::Output {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let (mut future, mut context) = (pin!(future), Context::from_waker(&waker));
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}

/// Everything a lock does, wherever it is polled.
async fn all_of_it(bench: &Bench) {
    let (mut holder, mut lock) = (bench.lock("k"), bench.lock("k"));
    let guard = lock.lock().await.unwrap();
    guard.release().await.unwrap();
    assert!(holder.acquire(Wait::No).await.unwrap());
    assert!(!lock.acquire(Wait::No).await.unwrap());
    assert!(!lock.acquire(SHORT).await.unwrap());
    let wait = dlock_core::within(SHORT, lock.acquire(Wait::Forever)).await;
    assert!(wait.is_none(), "held elsewhere: {wait:?}");
    lock.close().await.unwrap();
    holder.close().await.unwrap();
    let guard = lock.lock_owned_within(SHORT).await.unwrap();
    let connection = guard.release().await.unwrap().into_session().await.unwrap();
    echo(&connection, 4);
    assert_eq!(bench.seen("k"), (0, 0));
}

fn on_a_thread(name: &'static str, run: impl FnOnce(&Bench) + Send + 'static) {
    thread::spawn(move || run(&Bench::new(name))).join().unwrap();
}

fn bare() -> Runtime {
    Builder::new_current_thread().build().unwrap()
}

pub(crate) async fn none() {
    on_a_thread("runtime-none", |bench| block_on(all_of_it(bench)));
}

pub(crate) async fn without_timers() {
    on_a_thread("runtime-bare", |bench| bare().block_on(all_of_it(bench)));
}

pub(crate) async fn with_a_paused_clock() {
    on_a_thread("runtime-paused", |bench| {
        let paused = Builder::new_current_thread().enable_time().start_paused(true).build();
        paused.unwrap().block_on(all_of_it(bench));
    });
}

/// Drops act at once: nobody drives the runtime again, or it is gone.
pub(crate) async fn nobody_drives() {
    on_a_thread("runtime-idle", |bench| {
        let idle = bare();
        let guard = idle.block_on(bench.lock("k").lock_owned()).unwrap();
        drop(guard);
        block_on(bench.until("k", (0, 0)));
        let guard = idle.block_on(bench.lock("k").lock_owned()).unwrap();
        drop(idle);
        drop(guard);
        block_on(bench.until("k", (0, 0)));
    });
}

/// A task that has used up its budget releases all the same.
pub(crate) async fn budget_used_up() {
    let bench = Bench::new("runtime-budget");
    let mut lock = bench.lock("k");
    for _ in 0..20 {
        let guard = lock.lock().await.unwrap();
        while tokio::task::coop::has_budget_remaining() {
            tokio::task::coop::consume_budget().await;
        }
        drop(guard);
        bench.until("k", (0, 0)).await;
        lock.close().await.unwrap();
    }
}
