//! The connections to the server, for the guardian to keep open when `dlock` is killed: the server would free
//! the key at once, while the command runs.

use std::collections::BTreeSet;
use std::os::fd::OwnedFd;

/// As many as one message may carry, and more than there are.
pub(crate) const MOST: usize = 60;

/// The sockets that were there before.
#[derive(Debug)]
pub(crate) struct Sockets(BTreeSet<i32>);

impl Sockets {
    pub(crate) fn now() -> Self {
        Self(numbers())
    }

    /// Copies of those that were opened since. None, where the system cannot copy a descriptor by its number:
    /// before Linux 5.6, or where a container forbids it.
    #[cfg(target_os = "linux")]
    pub(crate) fn opened_since(&self) -> Vec<OwnedFd> {
        use rustix::process::{PidfdFlags, PidfdGetfdFlags, getpid, pidfd_getfd, pidfd_open};
        let Ok(own) = pidfd_open(getpid(), PidfdFlags::empty()) else { return Vec::new() };
        let new = numbers().into_iter().filter(|number| !self.0.contains(number));
        let copies = new.filter_map(|it| pidfd_getfd(&own, it, PidfdGetfdFlags::empty()).ok());
        copies.take(MOST).collect()
    }

    /// None: this system cannot copy a descriptor by its number.
    #[cfg(not(target_os = "linux"))]
    pub(crate) fn opened_since(&self) -> Vec<OwnedFd> {
        Vec::new()
    }
}

fn numbers() -> BTreeSet<i32> {
    let entries = std::fs::read_dir("/proc/self/fd").into_iter().flatten().flatten();
    let sockets = entries.filter(|entry| {
        std::fs::read_link(entry.path()).is_ok_and(|it| it.to_string_lossy().starts_with("socket:"))
    });
    sockets.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}
