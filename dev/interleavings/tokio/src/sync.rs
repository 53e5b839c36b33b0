//! Channels, with points.

pub mod mpsc;
pub mod oneshot;

pub use tokio::sync::{Mutex, OwnedMutexGuard, watch};

use crate::checked::point;

/// Wakes one.
#[derive(Debug)]
pub struct Notify(tokio::sync::Notify);

impl Notify {
    /// Nobody is woken yet.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "as tokio's")]
    pub fn new() -> Self {
        Self(tokio::sync::Notify::new())
    }

    /// Wakes one, or the next that waits.
    pub fn notify_one(&self) {
        point();
        self.0.notify_one();
    }

    /// Waits to be woken.
    pub async fn notified(&self) {
        point();
        self.0.notified().await;
    }
}
