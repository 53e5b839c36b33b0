use super::registry::KeyId;
use super::{Model, Moment, RequestId};
use crate::Mode;
use std::cmp::Reverse;
use std::hash::Hash;
use std::time::Duration;

/// A key that is waited for: by how many, and for how long by the first of them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct LongWait<K> {
    pub(crate) key: K,
    pub(crate) waiters: usize,
    pub(crate) longest: Duration,
}

impl<K: Clone + Eq + Hash, E: Clone> Model<K, E> {
    /// The keys that are waited for longest, of those for which somebody has waited for so long.
    pub(crate) fn long_waits(&self, least: Duration, most: usize) -> Vec<LongWait<K>> {
        let waits = self.keys.all().filter_map(|key| self.wait_for(key));
        let mut waits = Vec::from_iter(waits.filter(|wait| wait.longest >= least));
        waits.sort_by_key(|wait| Reverse(wait.longest));
        waits.truncate(most);
        waits
    }

    /// Those who hold a key in a way that keeps this mode waiting.
    pub(crate) fn holders_against(&self, key: &K, mode: Mode) -> impl Iterator<Item = &RequestId> {
        let stay = self.keys.find(key).and_then(|key| self.keys[key].stay());
        let is_exclusive = |held: Mode| held == Mode::Exclusive || mode == Mode::Exclusive;
        let stay = stay.filter(|stay| {
            is_exclusive(stay.mode) || stay.mode == mode && !mode.is_compatible_with_itself()
        });
        stay.into_iter().flat_map(|stay| &stay.holders)
    }

    /// What is known of the callers who wait for a key.
    fn wait_for(&self, key: KeyId) -> Option<LongWait<K>> {
        let mut waiting = self.waiting(key);
        waiting.retain(|id| !self.turnstiles.contains_key(id));
        let since: Moment = waiting.iter().map(|id| self.requests[id].since).min()?;
        let key = self.keys[key].key.clone();
        Some(LongWait { key, waiters: waiting.len(), longest: self.now.saturating_sub(since) })
    }

    /// How many sessions are open to serve, and how many to wait.
    pub(crate) fn open_sessions(&self) -> (usize, usize) {
        let open = self.sessions.values().filter(|session| session.is_open());
        let all = open.clone().count();
        let waiting = open.filter(|session| session.role == super::session::Role::Waiting).count();
        (all - waiting, waiting)
    }
}
