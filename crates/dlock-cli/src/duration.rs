//! Durations, as people write them.

use std::time::Duration;

/// The shortest lease that the library has.
const SHORTEST_LEASE: Duration = Duration::from_secs(3);

/// Each look opens a session.
const SHORTEST_INTERVAL: Duration = Duration::from_millis(100);

/// A number of seconds, which may have a fraction, or numbers with units: `5`, `0.5`, `300ms`, `1h 30m`.
pub(crate) fn parse(text: &str) -> Result<Duration, String> {
    if let Ok(seconds) = text.parse() {
        return Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string());
    }
    humantime::parse_duration(text).map_err(|error| error.to_string())
}

/// A lease: a server counts in seconds, and a slow answer is no loss.
pub(crate) fn lease(text: &str) -> Result<Duration, String> {
    let lease = parse(text)?;
    if lease < SHORTEST_LEASE {
        return Err(format!("a lease is {SHORTEST_LEASE:?} at least"));
    }
    Ok(lease)
}

/// How often to ask: not all the time.
pub(crate) fn interval(text: &str) -> Result<Duration, String> {
    let interval = parse(text)?;
    if interval < SHORTEST_INTERVAL {
        return Err(format!("an interval is {SHORTEST_INTERVAL:?} at least"));
    }
    Ok(interval)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_seconds() {
        assert_eq!(parse("5"), Ok(Duration::from_secs(5)));
        assert_eq!(parse("0.25"), Ok(Duration::from_millis(250)));
        assert_eq!(parse("0"), Ok(Duration::ZERO));
    }

    #[test]
    fn units_are_known() {
        assert_eq!(parse("300ms"), Ok(Duration::from_millis(300)));
        assert_eq!(parse("1h 30m"), Ok(Duration::from_secs(5400)));
    }

    #[test]
    fn nonsense_is_refused() {
        for text in ["", "-1", "soon", "5 fortnights", "NaN", "1e300", "inf"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
