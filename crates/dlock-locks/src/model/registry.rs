use super::entry::Entry;
use std::collections::HashMap;
use std::hash::Hash;
use std::ops::{Index, IndexMut};

/// What names a key that is in use.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) struct KeyId(usize);

/// The keys that are in use.
#[derive(Debug)]
pub(crate) struct Registry<K> {
    ids: HashMap<K, KeyId>,
    entries: Vec<Option<Entry<K>>>,
    free: Vec<KeyId>,
}

impl<K> Default for Registry<K> {
    fn default() -> Self {
        Self { ids: HashMap::new(), entries: Vec::new(), free: Vec::new() }
    }
}

impl<K: Clone + Eq + Hash> Registry<K> {
    pub(crate) fn len(&self) -> usize {
        self.ids.len()
    }

    pub(crate) fn contains(&self, id: KeyId) -> bool {
        self.entries[id.0].is_some()
    }

    pub(crate) fn find(&self, key: &K) -> Option<KeyId> {
        self.ids.get(key).copied()
    }

    /// The same key, by the name it has here.
    pub(crate) fn name(&self, key: K) -> K {
        self.ids.get_key_value(&key).map_or(key.clone(), |(known, _)| known.clone())
    }

    pub(crate) fn insert(&mut self, key: K) -> KeyId {
        let id = self.free.pop().unwrap_or_else(|| {
            self.entries.push(None);
            KeyId(self.entries.len() - 1)
        });
        self.entries[id.0] = Some(Entry::new(key.clone()));
        self.ids.insert(key, id);
        id
    }

    pub(crate) fn remove(&mut self, id: KeyId) {
        if let Some(entry) = self.entries[id.0].take() {
            self.ids.remove(&entry.key);
            self.free.push(id);
        }
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = KeyId> {
        let used = self.entries.iter().enumerate().filter(|(_, entry)| entry.is_some());
        used.map(|(id, _)| KeyId(id))
    }
}

impl<K> Index<KeyId> for Registry<K> {
    type Output = Entry<K>;

    fn index(&self, id: KeyId) -> &Entry<K> {
        self.entries[id.0].as_ref().expect("a key that is in use")
    }
}

impl<K> IndexMut<KeyId> for Registry<K> {
    fn index_mut(&mut self, id: KeyId) -> &mut Entry<K> {
        self.entries[id.0].as_mut().expect("a key that is in use")
    }
}
