//! What the check-ups of several servers have in common. For drivers.

use crate::{Ask, Finding, Mode, Session, Severity, What};
use std::time::{SystemTime, UNIX_EPOCH};

/// How far two clocks may be apart, in milliseconds: a second is what a step of NTP's may be.
const APART: i64 = 1_000;

/// Whether of two sessions that ask for a key exactly one gets it. Nobody else may want the key.
///
/// # Errors
/// What a session's batch failed with.
pub async fn excludes<S>(one: &S, other: &S, key: S::Key) -> Result<bool, S::Error>
where
    S: Session<Key: Clone>,
{
    let ask = |what| [Ask { what, key: key.clone(), mode: Mode::Exclusive }];
    let is_held = one.run(&ask(What::Try)).await? == [true];
    let is_refused = other.run(&ask(What::Try)).await? == [false];
    let is_released = !is_held || one.run(&ask(What::Release)).await? == [true];
    Ok(is_held && is_refused && is_released)
}

/// A server whose locks exclude nobody.
#[must_use]
pub fn locks_nothing(advice: &'static str) -> Finding {
    Finding::new(
        Severity::Fault,
        "locks-nothing",
        "Two sessions asked for a key of nobody's, and not exactly one of them got it.",
        "The server, or what stands before it, answers and does not lock, so nothing is excluded.",
        advice,
    )
}

/// Milliseconds since 1970, by the clock here.
#[must_use]
pub fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// A server's clock that is wrong by more than a second. It was read between `asked` and `answered`; all are
/// in milliseconds since 1970.
#[must_use]
pub fn clock(server: i64, asked: i64, answered: i64, why: &'static str) -> Option<Finding> {
    let apart = if server < asked { server - asked } else { (server - answered).max(0) };
    (apart.abs() > APART).then(|| {
        Finding::new(
            Severity::Warning,
            "clock",
            format!("The server's clock is {apart} ms from the one here."),
            why,
            "Have both machines keep their time by NTP.",
        )
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_clock_is_wrong_beyond_a_second() {
        let clock = |server, asked, answered| super::clock(server, asked, answered, "");
        assert_eq!(clock(1_000, 1_000, 1_000), None);
        assert_eq!(clock(5_000, 1_000, 9_000), None, "it was read at some time between");
        assert_eq!(clock(2_000, 1_000, 1_000), None);
        let ahead = clock(3_000, 1_000, 1_500).expect("a finding");
        assert!(ahead.what.contains(" 1500 ms"), "{ahead}");
        let behind = clock(1_000, 3_000, 3_500).expect("a finding");
        assert!(behind.what.contains(" -2000 ms"), "{behind}");
    }
}
