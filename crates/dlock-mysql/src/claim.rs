use crate::Key;
use crate::texts::Texts;
use std::sync::atomic::{AtomicBool, Ordering};

/// What a lock shares with its round trips: what it says, and what the server granted.
#[derive(Debug)]
pub(crate) struct Claim {
    pub(crate) texts: Texts,
    granted: AtomicBool,
}

impl Claim {
    pub(crate) fn new(key: &Key) -> Self {
        Self { texts: Texts::new(key), granted: AtomicBool::new(false) }
    }

    /// Whether the server has granted the key and not been told to free it, as the answers say. So a
    /// trip that nobody waits for any more still knows what there is to free, and frees nothing that
    /// the caller took by hand.
    pub(crate) fn is_granted(&self) -> bool {
        self.granted.load(Ordering::Acquire)
    }

    pub(crate) fn set_granted(&self, is_granted: bool) {
        self.granted.store(is_granted, Ordering::Release);
    }
}
