use crate::answer::duration;
use std::time::{Duration, Instant};

/// The longest slice by default, also as a part of the server's `deadlock_timeout`: no slice lives as
/// long as the deadlock check of a session that waits for it.
const LONGEST: f64 = 0.9;
/// The shortest that a small `deadlock_timeout` makes the longest.
const SHORTEST: Duration = Duration::from_millis(100);
/// How much longer than `deadlock_timeout` a slice is that is to see a deadlock.
const BEYOND: Duration = Duration::from_millis(100);
/// The longest of those.
const LONGEST_FULL: Duration = Duration::from_millis(10_100);
/// Every so many slices of a session that holds another key one is full.
const FULL_ONE_IN: u32 = 10;

/// A wait as the slices that it goes on in.
#[derive(Debug)]
pub(crate) struct Slices {
    start: Instant,
    limit: Option<Duration>,
    longest: Longest,
    full: Duration,
    /// How many went by.
    count: u32,
    /// Whether the next one is to see a deadlock, whatever its turn; or all of them.
    next_is_full: bool,
    was_full: bool,
    all_are_full: bool,
}

/// The longest that a slice may be.
#[derive(Clone, Copy, Debug)]
enum Longest {
    /// Each is as long as the caller has set.
    Set(Duration),
    /// They grow up to this.
    Grown(Duration),
}

impl Slices {
    /// A wait that began at `start`, of at most `limit`; `set` is the longest slice where the caller has
    /// set it.
    pub(crate) fn new(start: Instant, limit: Option<Duration>, set: Option<Duration>) -> Self {
        let longest = set.map_or(Longest::Grown(Duration::from_secs_f64(LONGEST)), Longest::Set);
        let full = Duration::from_secs(1) + BEYOND;
        Self {
            start,
            limit,
            longest,
            full,
            count: 0,
            next_is_full: false,
            was_full: false,
            all_are_full: false,
        }
    }

    /// Learns the server's `deadlock_timeout`, which a wait's answer begins with: until then its default
    /// counts.
    pub(crate) fn learn(&mut self, told: Option<&str>) {
        let setting = told.and_then(|told| told.split(' ').next());
        if let Some(timeout) = setting.and_then(duration) {
            self.set_deadlock_timeout(timeout);
        }
    }

    fn set_deadlock_timeout(&mut self, timeout: Duration) {
        if let Longest::Grown(longest) = &mut self.longest {
            *longest = timeout.mul_f64(LONGEST).clamp(SHORTEST, Duration::from_secs_f64(LONGEST));
        }
        let full = timeout.saturating_add(BEYOND).min(LONGEST_FULL);
        // One that was to see a deadlock was too short for it.
        self.next_is_full |= self.was_full && full > self.full;
        self.full = full;
    }

    /// The same for a transaction: all of them are full.
    pub(crate) fn all_full(self) -> Self {
        Self { all_are_full: true, ..self }
    }

    /// What is left of the wait; `None` for ever, zero when it is over.
    pub(crate) fn left(&self) -> Option<Duration> {
        Some(self.limit?.saturating_sub(self.start.elapsed()))
    }

    /// Has the next slice be long enough to see a deadlock.
    pub(crate) fn see_deadlocks(&mut self) {
        self.next_is_full = true;
    }

    /// How long to wait next, if the wait is not over. `holds`: whether the session holds another key,
    /// so that it may be in a deadlock.
    pub(crate) fn next(&mut self, holds: bool) -> Option<Duration> {
        let left = self.left();
        if left == Some(Duration::ZERO) {
            return None;
        }
        let is_full = self.all_are_full
            || self.next_is_full
            || (holds && self.count.is_multiple_of(FULL_ONE_IN));
        (self.count, self.next_is_full, self.was_full) = (self.count + 1, false, is_full);
        let slice = if is_full { self.full.max(self.plain()) } else { self.plain() };
        Some(left.map_or(slice, |left| left.min(slice)))
    }

    /// The fairest rule of those simulated: among waiters whose slices are all of one length some are
    /// served all the time and others never. Chance keeps them out of step.
    fn plain(&self) -> Duration {
        let chance = 0.9 + 0.1 * fastrand::f64();
        match self.longest {
            Longest::Set(longest) => longest.mul_f64(chance),
            Longest::Grown(longest) => {
                let waited = self.start.elapsed().as_secs_f64();
                let grown = 0.05 + 0.13 * (waited / 0.2).ln_1p();
                longest.min(Duration::from_secs_f64(grown)).mul_f64(chance)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Slices;
    use std::time::{Duration, Instant};

    const SECOND: Duration = Duration::from_secs(1);

    fn after(waited: Duration, set: Option<Duration>, deadlock_timeout: Duration) -> Slices {
        let mut slices = Slices::new(Instant::now().checked_sub(waited).unwrap(), None, set);
        slices.set_deadlock_timeout(deadlock_timeout);
        slices
    }

    #[test]
    fn slices_grow_with_the_time_waited() {
        for (waited, least, most) in [(0, 45, 51), (1, 240, 285), (60, 700, 795), (600, 809, 901)] {
            let slice = after(SECOND * waited, None, SECOND).next(false).unwrap().as_millis();
            assert!((least..=most).contains(&slice), "{waited} s: {slice} ms");
        }
    }

    #[test]
    fn a_small_deadlock_timeout_makes_them_short_but_not_next_to_nothing() {
        let long = SECOND * 1000;
        for (deadlock_timeout, longest) in [(10, 100), (500, 450), (600_000, 900)] {
            let timeout = Duration::from_millis(deadlock_timeout);
            let slice = after(long, None, timeout).next(false).unwrap();
            assert!(slice <= Duration::from_millis(longest), "{timeout:?}: {slice:?}");
        }
    }

    #[test]
    fn the_first_and_every_tenth_sees_a_deadlock_of_a_session_that_holds_another_key() {
        let mut slices = after(Duration::ZERO, None, SECOND);
        let full: Vec<bool> = (0..21).map(|_| slices.next(true).unwrap() > SECOND).collect();
        let expected: Vec<bool> = (0..21).map(|turn| turn % 10 == 0).collect();
        assert_eq!(full, expected);
        let mut slices = after(Duration::ZERO, None, SECOND * 3600);
        assert!(slices.next(true).unwrap() < SECOND * 11);
    }

    #[test]
    fn one_that_was_too_short_to_see_a_deadlock_is_followed_by_another() {
        let mut slices = Slices::new(Instant::now(), None, None);
        assert!(slices.next(true).unwrap() > SECOND);
        slices.set_deadlock_timeout(SECOND * 3);
        assert!(slices.next(true).unwrap() > SECOND * 3);
        slices.set_deadlock_timeout(SECOND * 3);
        assert!(slices.next(true).unwrap() < SECOND);
    }

    #[test]
    fn a_slice_that_was_set_is_as_long_from_the_start_on() {
        let slice = after(Duration::ZERO, Some(SECOND * 60), SECOND).next(false).unwrap();
        assert!(slice >= SECOND * 54 && slice <= SECOND * 60, "{slice:?}");
    }

    #[test]
    fn none_is_longer_than_what_is_left() {
        let limit = Duration::from_millis(20);
        let mut slices = Slices::new(Instant::now(), Some(limit), Some(SECOND));
        assert!(slices.next(true).unwrap() <= limit);
        let start = Instant::now().checked_sub(SECOND).unwrap();
        assert_eq!(Slices::new(start, Some(limit), None).next(false), None);
    }
}
