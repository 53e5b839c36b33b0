use crate::Key;
use dlock_core::Wait;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// The longest `MAX_EXECUTION_TIME` that MySQL takes, in milliseconds: a good 49 days.
pub(crate) const LONGEST: u64 = 4_294_967_295;

/// What one lock says to the server, made once and shared with its round trips.
#[derive(Debug)]
pub(crate) struct Texts {
    /// The key as a literal.
    name: String,
    /// The last statement that waited, and for how many milliseconds.
    acquire: Mutex<Option<(u64, Arc<str>)>>,
    release: OnceLock<String>,
}

impl Texts {
    pub(crate) fn new(key: &Key) -> Self {
        Self { name: literal(key), acquire: Mutex::default(), release: OnceLock::new() }
    }

    pub(crate) fn release(&self) -> &str {
        self.release.get_or_init(|| ["SELECT RELEASE_LOCK(", &self.name, ")"].concat())
    }

    pub(crate) fn acquire(&self, wait: Wait) -> Arc<str> {
        let millis = wait.limit().map_or(LONGEST, Wait::millis);
        let mut last = self.acquire.lock().unwrap_or_else(PoisonError::into_inner);
        match &*last {
            Some((same, text)) if *same == millis => Arc::clone(text),
            _ => {
                let text: Arc<str> = acquire(&self.name, millis).into();
                *last = Some((millis, Arc::clone(&text)));
                text
            }
        }
    }
}

/// One statement for every wait and both servers, with one `GET_LOCK` and nothing after it.
///
/// `/*M!` is a comment to MySQL, `/*+` one to MariaDB. MySQL waits in whole seconds, which it rounds,
/// so its wait ends by `MAX_EXECUTION_TIME` (milliseconds, a literal) before those are over; MariaDB
/// waits for fractions of a second as they are. Both texts lift the session's own limit on statements.
fn acquire(name: &str, millis: u64) -> String {
    let (limit, seconds) = if millis == 0 { (LONGEST, 0) } else { (millis, millis / 1000 + 2) };
    [
        "/*M!100101 SET STATEMENT max_statement_time=0 FOR */ SELECT /*+ MAX_EXECUTION_TIME(",
        &limit.to_string(),
        ") */ IF(IS_USED_LOCK(",
        name,
        ")=CONNECTION_ID(),-1,GET_LOCK(",
        name,
        ",",
        &seconds.to_string(),
        "/*M!100101 *0+",
        &format!("{}.{:03}", millis / 1000, millis % 1000),
        "*/))",
    ]
    .concat()
}

/// The name as a literal: its bytes in hexadecimal, whatever the connection's character set and SQL
/// mode are.
fn literal(key: &Key) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut literal = String::from("_utf8mb4 0x");
    for byte in key.as_str().bytes() {
        literal.push(DIGITS[usize::from(byte >> 4)].into());
        literal.push(DIGITS[usize::from(byte & 15)].into());
    }
    literal
}

#[cfg(test)]
mod tests {
    use super::{LONGEST, Texts, literal};
    use crate::Key;
    use dlock_core::Wait;
    use std::time::Duration;

    fn text(wait: Wait) -> String {
        Texts::new(&Key::from(1)).acquire(wait).to_string()
    }

    #[test]
    fn durations_round_up() {
        let text = text(Wait::For(Duration::from_nanos(1_499_000_001)));
        assert!(text.contains("MAX_EXECUTION_TIME(1500)"), "{text}");
        assert!(text.ends_with(",3/*M!100101 *0+1.500*/))"), "{text}");
    }

    #[test]
    fn no_wait_is_zero_seconds_and_no_limit() {
        let text = text(Wait::No);
        assert!(text.contains("MAX_EXECUTION_TIME(4294967295)"), "{text}");
        assert!(text.ends_with(",0/*M!100101 *0+0.000*/))"), "{text}");
    }

    #[test]
    fn the_longest_slice_fits() {
        for wait in [Wait::For(Duration::from_millis(LONGEST)), Wait::Forever] {
            let text = text(wait);
            assert!(text.ends_with(",4294969/*M!100101 *0+4294967.295*/))"), "{text}");
        }
    }

    #[test]
    fn each_wait_has_its_own_text() {
        let texts = Texts::new(&Key::from(1));
        let [one, two] = [1, 2].map(|seconds| Wait::For(Duration::from_secs(seconds)));
        for wait in [one, two, two, one] {
            assert_eq!(*texts.acquire(wait), *text(wait));
        }
    }

    #[test]
    fn a_literal_is_hexadecimal() {
        let key = Key::try_from("a'\\\n").unwrap();
        assert_eq!(literal(&key), "_utf8mb4 0x61275c0a");
    }
}
