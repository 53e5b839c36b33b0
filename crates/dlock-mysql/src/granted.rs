use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether the server has granted the key and not been told to free it, as the answers say.
///
/// Shared with the round trips: one that nobody waits for any more still knows what there is to free,
/// and frees nothing that the caller took by hand.
#[derive(Clone, Debug, Default)]
pub(crate) struct Granted(Arc<AtomicBool>);

impl Granted {
    pub(crate) fn set(&self, granted: bool) {
        self.0.store(granted, Ordering::Release);
    }

    pub(crate) fn get(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}
