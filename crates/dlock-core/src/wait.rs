use std::time::{Duration, Instant};

/// How long a bounded call may outlast its wait when the server has gone silent: 5 seconds.
pub const GRACE: Duration = Duration::from_secs(5);

/// How long to wait for a key that is held elsewhere.
///
/// A wait is never shortened below what was asked, and never rounded down to "not at all" or up to
/// "for ever". [`Duration::ZERO`] means no wait.
///
/// ```
/// use dlock_db::Wait;
/// use std::time::Duration;
///
/// assert_eq!(Wait::from(Duration::from_millis(300)), Wait::For(Duration::from_millis(300)));
/// assert_eq!(Wait::from(Duration::ZERO), Wait::No);
/// assert_eq!(Wait::from(None), Wait::Forever);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Wait {
    /// Ask once and take the answer.
    No,
    /// Queue in the server for at most this long, counted from the call.
    For(Duration),
    /// Queue in the server until the key is granted.
    Forever,
}

impl From<Duration> for Wait {
    fn from(limit: Duration) -> Self {
        Wait::For(limit).normal()
    }
}

impl From<Option<Duration>> for Wait {
    fn from(limit: Option<Duration>) -> Self {
        limit.map_or(Wait::Forever, Wait::from)
    }
}

impl Wait {
    /// The same wait with `For(ZERO)` written as `No`: what a driver is given.
    #[must_use]
    pub fn normal(self) -> Self {
        match self {
            Wait::For(Duration::ZERO) => Wait::No,
            other => other,
        }
    }

    /// The longest the server may wait, `None` for ever.
    ///
    /// # Examples
    /// ```
    /// use dlock_db::Wait;
    ///
    /// assert_eq!(Wait::Forever.limit(), None);
    /// ```
    #[must_use]
    pub fn limit(self) -> Option<Duration> {
        match self {
            Wait::No => Some(Duration::ZERO),
            Wait::For(limit) => Some(limit),
            Wait::Forever => None,
        }
    }

    /// A duration in whole milliseconds, rounded up and saturating: what a server is asked for.
    ///
    /// ```
    /// use dlock_db::Wait;
    /// use std::time::Duration;
    ///
    /// assert_eq!(Wait::millis(Duration::from_micros(1)), 1);
    /// assert_eq!(Wait::millis(Duration::from_micros(1500)), 2);
    /// ```
    #[must_use]
    pub fn millis(limit: Duration) -> u64 {
        let rest = u64::from(limit.subsec_nanos().div_ceil(1_000_000));
        limit.as_secs().saturating_mul(1_000).saturating_add(rest)
    }
}

/// The end of a wait that a server must be asked for in slices.
///
/// Drivers use it where a server's time-out has a largest value, or where a driver gives up on
/// statements that take long. Each slice joins the server's queue anew.
#[derive(Clone, Copy, Debug)]
pub struct Deadline {
    wait: Wait,
    /// When a bounded wait began.
    start: Option<Instant>,
}

impl Deadline {
    /// A deadline that counts from now.
    #[must_use]
    pub fn new(wait: Wait) -> Self {
        let wait = wait.normal();
        Self { wait, start: matches!(wait, Wait::For(_)).then(Instant::now) }
    }

    /// The same for a server that can wait for ever, but not for any longest time.
    #[must_use]
    pub fn slice_or_forever(&self, longest: Duration) -> (Wait, bool) {
        match self.wait {
            Wait::Forever => (Wait::Forever, true),
            Wait::No | Wait::For(_) => self.slice(longest),
        }
    }

    /// Whether a bounded wait has come to its end; never for the others. A server that says so is right
    /// a thousandth early: its clock is another one.
    #[must_use]
    pub fn is_over(&self) -> bool {
        matches!(self.wait, Wait::For(limit) if self.elapsed() >= limit - limit / 1000)
    }

    fn elapsed(&self) -> Duration {
        self.start.map_or(Duration::ZERO, |start| start.elapsed())
    }

    /// The next slice to ask the server for: at most `longest`, and whether it is the last one.
    #[must_use]
    pub fn slice(&self, longest: Duration) -> (Wait, bool) {
        match self.wait {
            Wait::No => (Wait::No, true),
            Wait::Forever => (Wait::For(longest), false),
            Wait::For(limit) => match limit.saturating_sub(self.elapsed()) {
                left if left > longest => (Wait::For(longest), false),
                left => (Wait::For(left).normal(), true),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Deadline, Wait};
    use std::time::Duration;

    #[test]
    fn milliseconds_round_up_and_saturate() {
        let cases = [(0, 0), (1, 1), (999_999, 1), (1_000_000, 1), (1_000_001, 2)];
        for (nanos, millis) in cases {
            assert_eq!(Wait::millis(Duration::from_nanos(nanos)), millis, "{nanos} ns");
        }
        assert_eq!(Wait::millis(Duration::MAX), u64::MAX);
    }

    #[test]
    fn only_a_bounded_wait_is_ever_over() {
        for (wait, is_over) in [
            (Wait::No, false),
            (Wait::Forever, false),
            (Wait::For(Duration::from_nanos(1)), true),
            (Wait::For(Duration::from_secs(60)), false),
        ] {
            let deadline = Deadline::new(wait);
            std::thread::sleep(Duration::from_nanos(1));
            assert_eq!(deadline.is_over(), is_over, "{wait:?}");
        }
    }

    #[test]
    fn slices_end_with_the_deadline() {
        let longest = Duration::from_secs(5);
        assert_eq!(Deadline::new(Wait::Forever).slice(longest), (Wait::For(longest), false));
        assert_eq!(Deadline::new(Wait::No).slice(longest), (Wait::No, true));
        assert_eq!(
            Deadline::new(Wait::For(Duration::from_secs(60))).slice(longest),
            (Wait::For(longest), false)
        );
        let (last, is_last) = Deadline::new(Wait::For(Duration::from_secs(4))).slice(longest);
        assert!(is_last && last.limit() <= Some(Duration::from_secs(4)), "{last:?}");
    }

    #[test]
    fn an_elapsed_deadline_asks_once_more_without_waiting() {
        let deadline = Deadline::new(Wait::For(Duration::from_nanos(1)));
        std::thread::sleep(Duration::from_millis(1));
        assert_eq!(deadline.slice(Duration::from_secs(5)), (Wait::No, true));
    }
}
