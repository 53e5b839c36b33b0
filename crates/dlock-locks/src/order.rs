use std::cmp::Ordering;
use std::hash::{Hash, Hasher};

/// What a key feeds to a hasher: the same for equal keys, in every process.
#[derive(Default, PartialEq, Eq, PartialOrd, Ord)]
struct Fed(Vec<u8>);

impl Hasher for Fed {
    fn write(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    /// Nobody asks: the bytes are compared.
    fn finish(&self) -> u64 {
        0
    }
}

fn fed<K: Hash>(key: &K) -> Fed {
    let mut fed = Fed::default();
    key.hash(&mut fed);
    fed
}

/// Sorts keys in one order for all processes, and leaves one of those that are equal.
pub(crate) fn in_order<K: Hash + Eq>(keys: &mut Vec<K>) {
    keys.sort_by_cached_key(fed);
    keys.dedup_by(|one, other| fed(one).cmp(&fed(other)) == Ordering::Equal && one == other);
}

#[cfg(test)]
mod tests {
    use super::in_order;

    #[test]
    fn one_order_without_repetition() {
        let mut keys = vec!["b", "a", "c", "b", "a"];
        in_order(&mut keys);
        let mut others = vec!["c", "b", "a"];
        in_order(&mut others);
        assert_eq!((keys.len(), keys), (3, others));
    }
}
