//! The key that a writer holds while it waits, so that readers who come later stay behind it.

use crate::{Key, Number};
use dlock_locks::{Holder, Mode};
use std::collections::HashMap;

/// A key's turnstile.
pub(super) fn turnstile(key: &Key) -> Key {
    key.derived("turnstile")
}

/// Its number: derived keys have one.
pub(super) fn number(key: &Key) -> i64 {
    match turnstile(key).number() {
        Number::Single(number) => number,
        Number::Pair(first, _) => first.into(),
    }
}

/// Who stands at the turnstile of a key waits for the key. A reader on its way through, and a writer that is
/// in the key's own queue at this moment, are there already. Nobody may have this key itself.
pub(super) fn as_waiting(holders: Vec<Holder<Key>>, key: Option<&Key>) -> Vec<Holder<Key>> {
    let keys = holders.iter().map(|it| &it.key).chain(key);
    let keys: HashMap<Key, Key> = keys.map(|key| (turnstile(key), key.clone())).collect();
    let (mut there, at): (Vec<_>, Vec<_>) =
        holders.into_iter().partition(|it| !keys.contains_key(&it.key));
    for mut holder in at {
        let key = &keys[&holder.key];
        if is_there(&holder, key, &there) {
            continue;
        }
        (holder.key, holder.is_waiting) = (key.clone(), true);
        there.push(holder);
    }
    there
}

fn is_there(holder: &Holder<Key>, key: &Key, there: &[Holder<Key>]) -> bool {
    if holder.is_waiting {
        return false;
    }
    holder.mode == Mode::Shared
        || there.iter().any(|it| {
            it.key == *key
                && it.is_waiting
                && it.mode == Mode::Exclusive
                && it.application == holder.application
                && it.host == holder.host
        })
}

#[cfg(test)]
mod tests {
    use super::{as_waiting, turnstile};
    use crate::Key;
    use dlock_locks::{Holder, Mode};

    #[test]
    fn who_stands_at_a_turnstile_waits_for_the_key() {
        let key = Key::from("k");
        let reader = Holder::new(key.clone(), Mode::Shared, false, "1");
        let writer = Holder::new(turnstile(&key), Mode::Exclusive, false, "2");
        let behind = Holder::new(turnstile(&key), Mode::Shared, true, "3");
        let seen = as_waiting(vec![reader.clone(), writer.clone(), behind.clone()], None);
        let waiting = as_waiting(vec![writer, behind], Some(&key));
        let writer = Holder::new(key.clone(), Mode::Exclusive, true, "2");
        let behind = Holder::new(key.clone(), Mode::Shared, true, "3");
        assert_eq!(waiting, [writer.clone(), behind.clone()]);
        assert_eq!(seen, [reader.clone(), writer.clone(), behind]);
        let through = Holder::new(turnstile(&key), Mode::Shared, false, "4");
        let also = Holder::new(turnstile(&key), Mode::Exclusive, false, "5");
        let seen = as_waiting(vec![reader.clone(), writer.clone(), through, also], None);
        assert_eq!(seen, [reader, writer]);
    }
}
