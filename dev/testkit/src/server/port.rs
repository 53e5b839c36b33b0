//! Free loopback ports, below the range from which the kernel takes those of outgoing connections.

use std::net::{Ipv4Addr, TcpListener};
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context, Result};

const FIRST: u32 = 20_000;
const COUNT: u32 = 12_000;

/// The next port that nobody listens on.
pub(super) fn free() -> Result<u16> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    // Processes start far apart, so that two test programs do not try the same ports.
    let start = process::id().wrapping_mul(7919);
    (0..COUNT)
        .map(|_| start.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed)) % COUNT + FIRST)
        .filter_map(|port| u16::try_from(port).ok())
        .find(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok())
        .context("there is no free port on the loopback interface")
}

#[cfg(test)]
mod tests {
    use super::free;

    #[test]
    fn two_ports_differ() {
        assert_ne!(free().unwrap(), free().unwrap());
    }
}
