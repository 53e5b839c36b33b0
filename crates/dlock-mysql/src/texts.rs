use crate::Key;
use dlock_core::Wait;
use itoa::Buffer;
use std::borrow::Cow;

/// The longest `MAX_EXECUTION_TIME` that MySQL takes, in milliseconds: a good 49 days.
pub(crate) const LONGEST: u64 = 4_294_967_295;

/// What one lock says to the server, made once and shared with its round trips.
#[derive(Debug)]
pub(crate) struct Texts {
    /// The key as a literal.
    name: String,
    /// The release, and behind it the acquire.
    text: String,
    /// Where the release ends.
    release: usize,
    /// How long the acquire waits, in milliseconds; `None` while there is none.
    millis: Option<u64>,
}

impl Texts {
    pub(crate) fn new(key: &Key) -> Self {
        let name = literal(key);
        let mut text = String::with_capacity(ROOM + 3 * name.len());
        text.extend(["SELECT RELEASE_LOCK(", &name, ")"]);
        Self { name, release: text.len(), text, millis: None }
    }

    pub(crate) fn release(&self) -> &str {
        &self.text[..self.release]
    }

    /// Has the acquire for this wait at hand.
    pub(crate) fn set_wait(&mut self, wait: Wait) {
        let millis = millis(wait);
        if self.millis != Some(millis) {
            self.text.truncate(self.release);
            acquire(&mut self.text, &self.name, millis);
            self.millis = Some(millis);
        }
    }

    /// The acquire: made anew for any other wait than the one that was set.
    pub(crate) fn acquire(&self, wait: Wait) -> Cow<'_, str> {
        let millis = millis(wait);
        if self.millis == Some(millis) {
            return Cow::Borrowed(&self.text[self.release..]);
        }
        let mut text = String::new();
        acquire(&mut text, &self.name, millis);
        Cow::Owned(text)
    }
}

/// Room for both texts, but for the name that is in them three times.
const ROOM: usize = 256;

fn millis(wait: Wait) -> u64 {
    wait.limit().map_or(LONGEST, Wait::millis)
}

/// Adds the acquire to a text: one statement for every wait and both servers, with one `GET_LOCK` and
/// nothing after it.
///
/// `/*M!` is a comment to MySQL, `/*+` one to MariaDB. MySQL waits in whole seconds, which it rounds,
/// so its wait ends by `MAX_EXECUTION_TIME` (milliseconds, a literal) before those are over; MariaDB
/// waits for fractions of a second as they are. Both texts lift the session's own limit on statements.
fn acquire(text: &mut String, name: &str, millis: u64) {
    let (limit, seconds) = if millis == 0 { (LONGEST, 0) } else { (millis, millis / 1000 + 2) };
    text.extend([
        "/*M!100101 SET STATEMENT max_statement_time=0 FOR */ SELECT /*+ MAX_EXECUTION_TIME(",
        Buffer::new().format(limit),
        ") */ IF(IS_USED_LOCK(",
        name,
        ")=CONNECTION_ID(),-1,GET_LOCK(",
        name,
        ",",
        Buffer::new().format(seconds),
        "/*M!100101 *0+",
        Buffer::new().format(millis),
        "*0.001*/))",
    ]);
}

/// The name as a literal: its bytes in hexadecimal, whatever the connection's character set and SQL
/// mode are.
fn literal(key: &Key) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    const START: &str = "_utf8mb4 0x";
    let mut literal = String::with_capacity(START.len() + 2 * key.as_str().len());
    literal.push_str(START);
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
        Texts::new(&Key::from(1)).acquire(wait).into_owned()
    }

    #[test]
    fn durations_round_up() {
        let text = text(Wait::For(Duration::from_nanos(1_499_000_001)));
        assert!(text.contains("MAX_EXECUTION_TIME(1500)"), "{text}");
        assert!(text.ends_with(",3/*M!100101 *0+1500*0.001*/))"), "{text}");
    }

    #[test]
    fn no_wait_is_zero_seconds_and_no_limit() {
        let text = text(Wait::No);
        assert!(text.contains("MAX_EXECUTION_TIME(4294967295)"), "{text}");
        assert!(text.ends_with(",0/*M!100101 *0+0*0.001*/))"), "{text}");
    }

    #[test]
    fn the_longest_slice_fits() {
        for wait in [Wait::For(Duration::from_millis(LONGEST)), Wait::Forever] {
            let text = text(wait);
            assert!(text.ends_with(",4294969/*M!100101 *0+4294967295*0.001*/))"), "{text}");
        }
    }

    #[test]
    fn each_wait_has_its_own_text() {
        let mut texts = Texts::new(&Key::from(1));
        let release = texts.release().to_owned();
        let [one, two] = [1, 2].map(|seconds| Wait::For(Duration::from_secs(seconds)));
        for wait in [one, two, two, one] {
            texts.set_wait(wait);
            for asked in [one, two] {
                assert_eq!(texts.acquire(asked), text(asked));
            }
            assert_eq!(texts.release(), release);
        }
    }

    #[test]
    fn a_literal_is_hexadecimal() {
        let key = Key::try_from("a'\\\n").unwrap();
        assert_eq!(literal(&key), "_utf8mb4 0x61275c0a");
    }
}
