//! Promise: whatever the caller's runtime does, what is held stays held.

use crate::cases::fresh_key;
use crate::locks::bounds::{in_time, ms, until_nothing};
use crate::locks::fixture::{Fixture, LocksOf};
use std::thread;
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;

/// Longer than the lease.
const LONG: Duration = ms(3800);

/// A runtime of one thread, which is none of the test's.
fn on_its_own<T: Send + 'static>(
    runtime: fn() -> Runtime,
    body: impl FnOnce(Runtime) -> T + Send + 'static,
) -> oneshot::Receiver<T> {
    let (sender, answer) = oneshot::channel();
    thread::spawn(move || sender.send(body(runtime())));
    answer
}

fn bare() -> Runtime {
    Builder::new_current_thread().build().expect("a runtime")
}

fn paused() -> Runtime {
    let mut builder = Builder::new_current_thread();
    builder.enable_all().start_paused(true).build().expect("a runtime")
}

async fn stays_held<F: Fixture>(
    fixture: F,
    runtime: fn() -> Runtime,
    body: fn(&Runtime, LocksOf<F>, String),
) {
    let (key, [one, other]) = (fresh_key("runtime"), fixture.processes());
    let name = key.clone();
    let ends = on_its_own(runtime, move |runtime| body(&runtime, one, name));
    in_time(ends).await.expect("no panic");
    until_nothing(&fixture, &key).await;
    in_time(other.lock(F::key(&key))).await.expect("a lock").release().await.expect("a release");
}

/// Blocked in the middle of a task.
pub(in crate::locks) async fn blocked<F: Fixture>(fixture: F) {
    let body = |runtime: &Runtime, locks: LocksOf<F>, key: String| {
        runtime.block_on(async {
            let held = locks.lock(F::key(&key)).await.expect("a lock");
            thread::sleep(LONG);
            assert!(!held.is_lost());
            held.release().await.expect("a release");
        });
    };
    stays_held(fixture, bare, body).await;
}

/// Driven by nobody while the lock is held, and when it is dropped.
pub(in crate::locks) async fn undriven<F: Fixture>(fixture: F) {
    let body = |runtime: &Runtime, locks: LocksOf<F>, key: String| {
        let held = runtime.block_on(locks.lock(F::key(&key))).expect("a lock");
        thread::sleep(LONG);
        assert!(!held.is_lost());
    };
    stays_held(fixture, bare, body).await;
}

/// Its clock jumps ahead whenever it has nothing to do.
pub(in crate::locks) async fn paused_clock<F: Fixture>(fixture: F) {
    let body = |runtime: &Runtime, locks: LocksOf<F>, key: String| {
        runtime.block_on(async {
            let held = locks.lock_within(F::key(&key), Duration::from_secs(30)).await;
            let held = held.expect("a lock");
            tokio::time::sleep(Duration::from_secs(3600)).await;
            assert!(!held.is_lost());
            let begun = std::time::Instant::now();
            locks.lock_within(F::key(&key), ms(300)).await.expect_err("it is held");
            assert!(begun.elapsed() >= ms(300), "{:?}", begun.elapsed());
            held.release().await.expect("a release");
        });
    };
    stays_held(fixture, paused, body).await;
}

/// A call whose runtime stood still when it was granted has it when it goes on, or leaves nothing.
pub(in crate::locks) async fn stands_still<F: Fixture>(fixture: F) {
    let (key, [one, other]) = (fresh_key("still"), fixture.processes());
    let held = in_time(one.lock(F::key(&key))).await.expect("a lock");
    let name = key.clone();
    let ends = on_its_own(bare, move |runtime| {
        let wait = runtime.spawn(async move {
            let held = other.lock(F::key(&name)).await.expect("a lock");
            assert!(!held.is_lost());
            held.release().await.expect("a release");
        });
        // It is polled once.
        runtime.block_on(tokio::task::yield_now());
        thread::sleep(LONG);
        runtime.block_on(wait).expect("no panic");
    });
    tokio::time::sleep(ms(300)).await;
    in_time(held.release()).await.expect("a release");
    in_time(ends).await.expect("no panic");
    until_nothing(&fixture, &key).await;
}
