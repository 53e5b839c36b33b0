//! What `dlock-locks` takes of `dlock-core`, with timers that go by the checker's clock.

pub use dlock_core::{
    Deadline, Error, GRACE, KeyError, Lock, OwnedGuard, RawLock, RawUnlock, SessionRef, Wait,
};
pub use interleaved_tokio::checked::sleep;

use futures::future::{Either, select};
use std::future::Future;
use std::pin::pin;
use std::time::Duration;

/// Runs a future for at most so long.
pub async fn within<F: Future>(limit: Duration, future: F) -> Option<F::Output> {
    match select(pin!(future), pin!(sleep(limit))).await {
        Either::Left((output, _)) => Some(output),
        Either::Right(_) => None,
    }
}
