use std::sync::{Arc, Mutex, PoisonError};

/// Those who wait without standing in a queue: what an observer takes for waiters.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pollers(Arc<Mutex<Vec<Entry>>>);

/// The key, shared by nobody else: its address tells pollers apart.
type Entry = Arc<str>;

impl Pollers {
    /// One more, until it is dropped.
    pub(crate) fn join(&self, key: &str) -> Poller {
        let entry = Entry::from(key);
        self.on(|all| all.push(Arc::clone(&entry)));
        Poller { entry, all: self.clone() }
    }

    pub(crate) fn count(&self, key: &str) -> usize {
        self.on(|all| all.iter().filter(|entry| &***entry == key).count())
    }

    fn on<T>(&self, change: impl FnOnce(&mut Vec<Entry>) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// One of them.
pub(crate) struct Poller {
    entry: Entry,
    all: Pollers,
}

impl Poller {
    /// Whether nobody came later for this key.
    pub(crate) fn is_last(&self) -> bool {
        let last = |all: &mut Vec<Entry>| all.iter().rfind(|entry| **entry == self.entry).cloned();
        self.all.on(last).is_some_and(|last| Arc::ptr_eq(&last, &self.entry))
    }
}

impl Drop for Poller {
    fn drop(&mut self) {
        self.all.on(|all| all.retain(|entry| !Arc::ptr_eq(entry, &self.entry)));
    }
}
