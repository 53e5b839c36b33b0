//! Callers and the engine's thread, each step of either before each step of the other, as a checker of
//! interleavings finds them: over a server of memory, with a clock that stands still until it is moved.
//!
//! A call that is never answered, a key that nobody lets go of, a thread that never ends are deadlocks to it.

mod close;
mod grant;
mod lead;
mod loss;
mod permits;
mod server;

use interleaved_locks::Locks;
use server::Server;
use shuttle::scheduler::{PctScheduler, RandomScheduler};
use shuttle::{Config, Runner};

/// Tries so many interleavings: half of them by chance, half with few changes of who goes first.
fn check(count: usize, body: impl Fn() + Send + Sync + 'static) {
    let body = std::sync::Arc::new(body);
    let one = {
        let body = std::sync::Arc::clone(&body);
        move || {
            tokio::checked::reset();
            fastrand::seed(7);
            body();
        }
    };
    Runner::new(RandomScheduler::new(count / 2), Config::new()).run(one.clone());
    Runner::new(PctScheduler::new(3, count / 2), Config::new()).run(one);
}

fn locks(server: &Server) -> Locks<Server> {
    Locks::builder(server.clone()).build().expect("a thread")
}
