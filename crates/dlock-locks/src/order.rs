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

/// Keys in one order for all processes, that of their folded forms, and one of those that are equal.
pub(crate) fn in_order<K: Hash + Eq>(keys: Vec<K>, folded: impl Fn(&K) -> Option<K>) -> Vec<K> {
    let place = |key: K| match folded(&key) {
        Some(folded) => (fed(&folded), fed(&key), key),
        None => (fed(&key), Fed::default(), key),
    };
    let mut placed = Vec::from_iter(keys.into_iter().map(place));
    placed.sort_unstable_by(|one, other| (&one.0, &one.1).cmp(&(&other.0, &other.1)));
    placed.dedup_by(|one, other| one.2 == other.2);
    placed.into_iter().map(|(.., key)| key).collect()
}

#[cfg(test)]
mod tests {
    use super::in_order;

    #[test]
    fn one_order_without_repetition() {
        let keys = in_order(vec!["b", "a", "c", "b", "a"], |_| None);
        let others = in_order(vec!["c", "b", "a"], |_| None);
        assert_eq!((keys.len(), keys), (3, others));
    }

    #[test]
    fn one_order_whatever_the_spelling() {
        let folded = |key: &String| Some(key.to_lowercase()).filter(|folded| folded != key);
        let order = |keys: [&str; 4]| {
            let keys = in_order(keys.map(str::to_owned).to_vec(), folded);
            keys.into_iter().map(|key| key.to_lowercase()).collect::<Vec<_>>()
        };
        assert_eq!(order(["a", "B", "b", "C"]), order(["c", "B", "b", "A"]));
    }
}
