//! What is no part of tokio's: the standard library's primitives, a clock, and the scheduler's points.

mod clock;
mod once;
mod point;

pub use clock::{advance, now, reset, sleep};
pub use once::OnceLock;
pub use point::point;

/// Atomics with points.
pub mod atomic {
    pub use shuttle::sync::atomic::{AtomicU64, Ordering};
}

/// Threads that the scheduler runs.
pub mod thread {
    pub use super::point::Builder;
}

pub use shuttle::sync::{Mutex, MutexGuard};
