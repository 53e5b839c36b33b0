//! Tasks of one thread, which the scheduler runs as if each had a thread of its own.

pub use tokio::task::{Id, JoinSet, try_id};

use crate::runtime::Runtime;
use std::cell::RefCell;
use std::future::Future;

thread_local! {
    static SPAWNED: RefCell<Vec<shuttle::future::JoinHandle<()>>> = const { RefCell::new(Vec::new()) };
}

/// The tasks of an engine.
#[derive(Debug)]
pub struct LocalSet;

impl LocalSet {
    /// None yet.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "as tokio's")]
    pub fn new() -> Self {
        Self
    }

    /// Runs until this is over.
    pub fn block_on<F: Future>(&self, _: &Runtime, future: F) -> F::Output {
        shuttle::future::block_on(future)
    }
}

/// A task that was started.
#[derive(Debug)]
pub struct JoinHandle<T>(shuttle::future::JoinHandle<T>);

impl<T> JoinHandle<T> {
    /// Whether it is over.
    pub fn is_finished(&self) -> bool {
        self.0.is_finished()
    }
}

/// Starts a task.
pub fn spawn_local<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future + 'static,
    F::Output: 'static,
{
    JoinHandle(shuttle::future::spawn_local(future))
}
