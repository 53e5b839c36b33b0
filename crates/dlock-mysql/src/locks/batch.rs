use crate::statement::batch::{all, attempt, release, release_unless_one_of};
use crate::{Error, Key};
use dlock_locks::{Ask, What};
use std::collections::HashSet;
use std::mem;

/// What a statement has beside its parts, in bytes, with room to spare.
const FRAME: usize = 64;
/// A statement that is longer takes the server too long to read, in bytes.
const LONGEST: usize = 1 << 18;

/// A statement that does some of what is asked for.
pub(super) struct Batch {
    pub(super) text: String,
    /// Which of the asks, in this order.
    pub(super) asks: Vec<usize>,
}

/// All that is asked for, in as few statements as the server's longest packet allows. What lets go comes
/// first: another spelling of the same name may be asked for in the same batch.
pub(super) fn batches(
    asks: &[Ask<Key>],
    is_mariadb: bool,
    held: &HashSet<Key>,
    packet: usize,
) -> Vec<Batch> {
    let longest = packet.min(LONGEST);
    let (mut batches, mut parts, mut numbers, mut length) = (vec![], vec![], vec![], FRAME);
    for number in in_order(asks) {
        let part = part(&asks[number], is_mariadb, held);
        if length + part.len() > longest && !parts.is_empty() {
            batches.push(Batch { text: all(&parts), asks: mem::take(&mut numbers) });
            (parts, length) = (vec![], FRAME);
        }
        length += part.len() + 1;
        parts.push(part);
        numbers.push(number);
    }
    if !parts.is_empty() {
        batches.push(Batch { text: all(&parts), asks: numbers });
    }
    batches
}

fn in_order(asks: &[Ask<Key>]) -> Vec<usize> {
    let mut numbers = Vec::from_iter(0..asks.len());
    numbers.sort_by_key(|number| match asks[*number].what {
        What::Undo => 0,
        What::Release => 1,
        What::Try => 2,
    });
    numbers
}

fn part(ask: &Ask<Key>, is_mariadb: bool, held: &HashSet<Key>) -> String {
    match ask.what {
        What::Try => attempt(is_mariadb, &ask.key),
        What::Release => release(is_mariadb, &ask.key),
        What::Undo => undo(&ask.key, is_mariadb, held),
    }
}

/// What the session holds by another spelling stays held.
fn undo(key: &Key, is_mariadb: bool, held: &HashSet<Key>) -> String {
    let is_twin =
        |other: &&Key| !is_mariadb && *other != key && may_be_one(key.as_str(), other.as_str());
    let twins = Vec::from_iter(held.iter().filter(is_twin));
    if twins.is_empty() { release(is_mariadb, key) } else { release_unless_one_of(key, &twins) }
}

/// Whether two names might be one to a server that folds each character to one other.
fn may_be_one(one: &str, other: &str) -> bool {
    let is_like = |(one, other): (char, char)| {
        !(one.is_ascii() && other.is_ascii()) || one.eq_ignore_ascii_case(&other)
    };
    one.chars().count() == other.chars().count() && one.chars().zip(other.chars()).all(is_like)
}

/// What the digits of an answer say.
pub(super) fn truths(digits: &str) -> Result<Vec<bool>, Error> {
    let truth = |digit| match digit {
        '0' => Ok(false),
        '1' => Ok(true),
        // What GET_LOCK says to this is NULL: it was killed, or has no memory left.
        _ => Err(Error::Interrupted(None)),
    };
    digits.chars().map(truth).collect()
}

#[cfg(test)]
mod tests {
    use super::{Batch, batches, may_be_one, truths};
    use crate::Key;
    use dlock_locks::{Ask, Mode, What};
    use std::collections::HashSet;

    fn ask(what: What, text: &str) -> Ask<Key> {
        Ask { what, key: Key::try_from(text).unwrap(), mode: Mode::Exclusive }
    }

    #[test]
    fn a_batch_is_as_long_as_the_server_takes() {
        let asks: Vec<_> = (0..200).map(|n| ask(What::Try, &format!("key {n}"))).collect();
        for (packet, statements) in [(1024, 20..40), (1 << 20, 1..2)] {
            let batches = batches(&asks, false, &HashSet::new(), packet);
            assert!(statements.contains(&batches.len()), "{}", batches.len());
            assert!(batches.iter().all(|batch| batch.text.len() <= packet));
            let numbers = Vec::from_iter(batches.iter().flat_map(|batch| batch.asks.clone()));
            assert_eq!(numbers, Vec::from_iter(0..200));
        }
    }

    #[test]
    fn the_longest_name_fits_into_the_smallest_packet() {
        for what in [What::Try, What::Release, What::Undo] {
            let asks = [ask(what, &"語".repeat(64))];
            let [Batch { text, .. }] = &batches(&asks, false, &HashSet::new(), 1024)[..] else {
                panic!("one statement")
            };
            assert!(text.len() < 1024, "{}", text.len());
        }
    }

    #[test]
    fn what_lets_go_comes_first() {
        let asks = [ask(What::Try, "a"), ask(What::Release, "b"), ask(What::Undo, "A")];
        let batches = batches(&asks, true, &HashSet::new(), 1024);
        assert_eq!(Vec::from_iter(batches.into_iter().flat_map(|it| it.asks)), [2, 1, 0]);
    }

    #[test]
    fn an_undo_looks_for_twins_on_the_server_that_folds_names() {
        let held = HashSet::from([Key::try_from("Job").unwrap(), Key::try_from("other").unwrap()]);
        for (is_mariadb, text, looks) in
            [(false, "job", true), (true, "job", false), (false, "jab", false)]
        {
            let batches = batches(&[ask(What::Undo, text)], is_mariadb, &held, 1024);
            assert_eq!(batches[0].text.contains("LOWER"), looks, "{}", batches[0].text);
        }
    }

    #[test]
    fn names_that_may_be_one() {
        for (one, other, may) in [
            ("Job", "jOB", true),
            ("É", "é", true),
            ("K", "\u{212a}", true),
            ("é", "x", true),
            ("a", "ab", false),
            ("éa", "éb", false),
        ] {
            assert_eq!(may_be_one(one, other), may, "{one} {other}");
        }
    }

    #[test]
    fn digits_are_truths() {
        assert_eq!(truths("101").unwrap(), [true, false, true]);
        assert!(truths("12").is_err());
    }
}
