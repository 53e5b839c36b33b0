use crate::Key;
use crate::known::{Known, LIMITED, MARIA, MYSQL};
use dlock_core::Wait;
use itoa::Buffer;
use std::borrow::Cow;

/// The longest wait of one statement, in milliseconds, a good 24 days: what both servers take for a
/// `MAX_EXECUTION_TIME`, in whole seconds.
pub(crate) const LONGEST: u64 = 2_147_483_000;

/// What one lock says to the server, made once and shared with its round trips.
#[derive(Debug)]
pub(crate) struct Texts {
    /// The key as a literal.
    name: String,
    /// The release, and behind it the acquire.
    text: String,
    /// Where the release ends.
    release: usize,
    /// What both are made for.
    known: Known,
    /// How long the acquire waits, in milliseconds; `None` while there is none.
    millis: Option<u64>,
    /// Whether they were the same before.
    again: bool,
}

impl Texts {
    pub(crate) fn new(key: &Key) -> Self {
        let name = literal(key);
        let mut text = String::with_capacity(ROOM + 3 * name.len());
        release(&mut text, &name, Known::Nothing);
        Self { name, release: text.len(), text, known: Known::Nothing, millis: None, again: false }
    }

    /// Has both texts at hand.
    pub(crate) fn set(&mut self, known: Known, wait: Wait) {
        let millis = millis(wait);
        self.again = (self.known, self.millis) == (known, Some(millis));
        if self.known != known {
            self.text.clear();
            release(&mut self.text, &self.name, known);
            (self.release, self.known, self.millis) = (self.text.len(), known, None);
        }
        if self.millis != Some(millis) {
            self.text.truncate(self.release);
            acquire(&mut self.text, &self.name, known, millis);
            self.millis = Some(millis);
        }
    }

    /// Whether they are those of the use before.
    pub(crate) fn are_said_again(&self) -> bool {
        self.again
    }

    pub(crate) fn release(&self) -> &str {
        &self.text[..self.release]
    }

    /// The acquire: made anew for anything else than what was set.
    pub(crate) fn acquire(&self, known: Known, wait: Wait) -> Cow<'_, str> {
        let millis = millis(wait);
        if (self.known, self.millis) == (known, Some(millis)) {
            return Cow::Borrowed(&self.text[self.release..]);
        }
        let mut text = String::new();
        acquire(&mut text, &self.name, known, millis);
        Cow::Owned(text)
    }
}

/// Room for both texts, but for the name that is in them three times.
const ROOM: usize = 256;

/// How long a statement waits.
fn millis(wait: Wait) -> u64 {
    wait.limit().map_or(LONGEST, Wait::millis).min(LONGEST)
}

/// Adds the release. The second one in a row also asks what session it is: who uses a lock once does
/// not pay for that.
fn release(text: &mut String, name: &str, known: Known) {
    let name = if known == Known::Maria { bare(name) } else { name };
    text.extend(["SELECT RELEASE_LOCK(", name, ")"]);
    if known == Known::Clear {
        text.push_str(&format!(
            "/*!50708 *{MYSQL}*//*M!100101 *IF(@@max_statement_time,{LIMITED},{MARIA})*/"
        ));
    }
}

/// Adds the acquire, with one `GET_LOCK` and nothing after it.
fn acquire(text: &mut String, name: &str, known: Known, millis: u64) {
    match known {
        Known::Nothing | Known::Clear => either(text, name, millis),
        Known::Mysql => mysql(text, name, millis),
        Known::Maria => maria(text, name, millis),
    }
}

/// For either server, with -1 where the session holds the key already: it would be granted once more.
/// `/*M!` is a comment to MySQL, `/*+` one to MariaDB before 12.0, which waits for fractions of a second
/// as they are. What each gets lifts the session's own limit on statements.
fn either(text: &mut String, name: &str, millis: u64) {
    text.push_str("/*M!100101 SET STATEMENT max_statement_time=0 FOR */ ");
    let seconds = select(text, millis);
    text.extend(["IF(IS_USED_LOCK(", name, ")=CONNECTION_ID(),-1,GET_LOCK(", name, ","]);
    push(text, seconds);
    text.push_str("/*M!100101 -");
    push_seconds(text, seconds * 1000 - millis);
    text.push_str("*/))");
}

fn mysql(text: &mut String, name: &str, millis: u64) {
    let seconds = select(text, millis);
    text.extend(["GET_LOCK(", name, ","]);
    push(text, seconds);
    text.push(')');
}

/// MariaDB knows a name by its bytes.
fn maria(text: &mut String, name: &str, millis: u64) {
    text.extend(["SELECT GET_LOCK(", bare(name), ","]);
    push_seconds(text, millis);
    text.push(')');
}

/// Adds how a statement of MySQL's starts, and tells how many seconds it is to wait: whole ones, which
/// it rounds, so a wait ends by `MAX_EXECUTION_TIME` (milliseconds, a literal) before those are over.
fn select(text: &mut String, millis: u64) -> u64 {
    let (limit, seconds) = if millis == 0 { (LONGEST, 0) } else { (millis, millis / 1000 + 2) };
    text.push_str("SELECT /*+ MAX_EXECUTION_TIME(");
    push(text, limit);
    text.push_str(") */ ");
    seconds
}

/// Adds milliseconds as seconds, whole ones without a fraction: MariaDB reads a decimal more slowly.
fn push_seconds(text: &mut String, millis: u64) {
    push(text, millis / 1000);
    let rest = millis % 1000;
    if rest > 0 {
        text.push('.');
        text.push_str(&Buffer::new().format(1000 + rest)[1..]);
    }
}

fn push(text: &mut String, number: u64) {
    text.push_str(Buffer::new().format(number));
}

/// How a literal starts that is a name on MySQL, whatever the connection's character set is.
const INTRODUCER: &str = "_utf8mb4 ";

/// The literal without that.
fn bare(name: &str) -> &str {
    &name[INTRODUCER.len()..]
}

/// The name as a literal: its bytes in hexadecimal, whatever the session's SQL mode is.
fn literal(key: &Key) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut literal = String::with_capacity(INTRODUCER.len() + 2 + 2 * key.as_str().len());
    literal.extend([INTRODUCER, "0x"]);
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
    use crate::known::Known;
    use dlock_core::Wait;
    use std::time::Duration;

    fn text(known: Known, wait: Wait) -> String {
        Texts::new(&Key::from(1)).acquire(known, wait).into_owned()
    }

    /// For either server, for MariaDB, for MySQL.
    fn texts(wait: Wait) -> [String; 3] {
        assert_eq!(text(Known::Nothing, wait), text(Known::Clear, wait));
        [Known::Nothing, Known::Maria, Known::Mysql].map(|known| text(known, wait))
    }

    /// The milliseconds and seconds of MySQL, what MariaDB takes off those, and its own seconds.
    fn expected(limit: &str, seconds: &str, less: &str, maria: &str) -> [String; 3] {
        let select = format!("SELECT /*+ MAX_EXECUTION_TIME({limit}) */");
        [
            format!(
                "/*M!100101 SET STATEMENT max_statement_time=0 FOR */ {select} \
                 IF(IS_USED_LOCK(_utf8mb4 0x31)=CONNECTION_ID(),-1,\
                 GET_LOCK(_utf8mb4 0x31,{seconds}/*M!100101 -{less}*/))"
            ),
            format!("SELECT GET_LOCK(0x31,{maria})"),
            format!("{select} GET_LOCK(_utf8mb4 0x31,{seconds})"),
        ]
    }

    #[test]
    fn durations_round_up() {
        let wait = Wait::For(Duration::from_nanos(1_499_000_001));
        assert_eq!(texts(wait), expected("1500", "3", "1.500", "1.500"));
        let wait = Wait::For(Duration::from_nanos(1));
        assert_eq!(texts(wait), expected("1", "2", "1.999", "0.001"));
    }

    #[test]
    fn milliseconds_keep_their_place() {
        let wait = Wait::For(Duration::from_millis(2_005));
        assert_eq!(texts(wait), expected("2005", "4", "1.995", "2.005"));
    }

    #[test]
    fn whole_seconds_have_no_fraction() {
        assert_eq!(texts(Wait::For(Duration::from_secs(3))), expected("3000", "5", "2", "3"));
    }

    #[test]
    fn no_wait_is_zero_seconds_and_no_limit() {
        assert_eq!(texts(Wait::No), expected("2147483000", "0", "0", "0"));
    }

    #[test]
    fn the_longest_slice_fits() {
        for wait in [Wait::For(Duration::from_millis(LONGEST)), Wait::Forever] {
            assert_eq!(texts(wait), expected("2147483000", "2147485", "2", "2147483"));
        }
    }

    #[test]
    fn a_release_asks_only_what_is_not_known_and_stays_so() {
        let mut texts = Texts::new(&Key::from(1));
        let releases = Known::ALL.map(|known| {
            texts.set(known, Wait::No);
            texts.release().to_owned()
        });
        let both = "SELECT RELEASE_LOCK(_utf8mb4 0x31)";
        let asks = format!("{both}/*!50708 *3*//*M!100101 *IF(@@max_statement_time,4,2)*/");
        assert_eq!(releases, [both, &asks, "SELECT RELEASE_LOCK(0x31)", both]);
    }

    #[test]
    fn each_wait_has_its_own_text() {
        let mut texts = Texts::new(&Key::from(1));
        let [one, two] = [1, 2].map(|seconds| Wait::For(Duration::from_secs(seconds)));
        for set in Known::ALL {
            for wait in [one, two, two, one] {
                texts.set(set, wait);
                for asked in Known::ALL {
                    assert_eq!(texts.acquire(asked, one), text(asked, one));
                    assert_eq!(texts.acquire(asked, two), text(asked, two));
                }
            }
        }
    }

    #[test]
    fn a_literal_is_hexadecimal() {
        let key = Key::try_from("a'\\\n").unwrap();
        assert_eq!(literal(&key), "_utf8mb4 0x61275c0a");
    }
}
