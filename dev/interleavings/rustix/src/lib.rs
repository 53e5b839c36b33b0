//! The checker's clock, where `dlock-locks` reads the system's.

/// Clocks.
pub mod time {
    /// Which clock.
    #[derive(Clone, Copy, Debug)]
    pub enum ClockId {
        /// One that goes on while the machine sleeps.
        Boottime,
    }

    /// A moment.
    #[derive(Clone, Copy, Debug)]
    pub struct Timespec {
        /// Seconds.
        pub tv_sec: i64,
        /// Nanoseconds beside.
        pub tv_nsec: i64,
    }

    /// How late it is.
    #[must_use]
    pub fn clock_gettime(_: ClockId) -> Timespec {
        let now = interleaved_tokio::checked::now();
        let tv_sec = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
        Timespec { tv_sec, tv_nsec: i64::from(now.subsec_nanos()) }
    }
}
