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

fn fed<K: Hash>(key: K) -> (Fed, K) {
    let mut fed = Fed::default();
    key.hash(&mut fed);
    (fed, key)
}

/// Keys in one order for all processes, and one of those that are equal.
pub(crate) fn in_order<K: Hash + Eq>(keys: Vec<K>) -> Vec<K> {
    let mut fed = Vec::from_iter(keys.into_iter().map(fed));
    fed.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
    fed.dedup_by(|(_, one), (_, other)| one == other);
    fed.into_iter().map(|(_, key)| key).collect()
}

#[cfg(test)]
mod tests {
    use super::in_order;

    #[test]
    fn one_order_without_repetition() {
        let keys = in_order(vec!["b", "a", "c", "b", "a"]);
        let others = in_order(vec!["c", "b", "a"]);
        assert_eq!((keys.len(), keys), (3, others));
    }
}
