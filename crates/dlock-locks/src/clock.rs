use std::time::Duration;

/// A clock that runs on while the machine sleeps, where the system has one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    start: platform::Reading,
}

impl Clock {
    pub(crate) fn start() -> Self {
        Self { start: platform::read() }
    }

    /// How long it has been running.
    pub(crate) fn now(&self) -> Duration {
        platform::since(self.start)
    }
}

#[cfg(any(target_os = "linux", target_os = "android"))]
mod platform {
    use rustix::time::{ClockId, clock_gettime};
    use std::time::Duration;

    pub(super) type Reading = Duration;

    /// `CLOCK_BOOTTIME` goes on during a suspend: <https://man7.org/linux/man-pages/man2/clock_gettime.2.html>.
    pub(super) fn read() -> Reading {
        let time = clock_gettime(ClockId::Boottime);
        let [seconds, nanos] = [time.tv_sec, time.tv_nsec];
        let seconds = Duration::from_secs(u64::try_from(seconds).unwrap_or_default());
        seconds + Duration::from_nanos(u64::try_from(nanos).unwrap_or_default())
    }

    pub(super) fn since(start: Reading) -> Duration {
        read().saturating_sub(start)
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
mod platform {
    use std::time::{Duration, Instant};

    pub(super) type Reading = Instant;

    pub(super) fn read() -> Reading {
        Instant::now()
    }

    pub(super) fn since(start: Reading) -> Duration {
        start.elapsed()
    }
}
