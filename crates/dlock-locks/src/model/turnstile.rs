//! Where waits go in slices, a writer that waits holds a second key, its turnstile: readers of any process
//! who come later look at it before they try.

use super::entry::Place;
use super::registry::KeyId;
use super::{Asked, Model, Need, Patience, RequestId};
use crate::Mode;
use std::hash::Hash;

/// Requests of the model's own have numbers that no caller's has.
const OWN: u64 = 1 << 63;

impl<K: Clone + Eq + Hash, E: Clone> Model<K, E> {
    /// Asks for the turnstile where a writer waits, and leaves it where none does any more.
    pub(super) fn watch_turnstile(&mut self, key: KeyId) {
        if !self.keys.contains(key) {
            return;
        }
        match (self.is_writer_waiting(key), self.keys[key].turnstile) {
            (true, None) => self.ask_for_turnstile(key),
            (false, Some(_)) => self.leave_turnstile(key),
            _ => {}
        }
    }

    fn is_writer_waiting(&mut self, key: KeyId) -> bool {
        let entry = &self.keys[key];
        let waits = match entry.place {
            Place::Asked { .. } => entry.turnstile.is_some(),
            Place::Parked | Place::Queued { .. } => entry.is_refused,
            _ => false,
        };
        let head = self.head(key).filter(|(_, mode)| waits && *mode == Mode::Exclusive);
        let is_writer =
            |id| !self.turnstiles.contains_key(&id) && self.requests[&id].patience != Patience::No;
        head.is_some_and(|(id, _)| is_writer(id))
    }

    fn ask_for_turnstile(&mut self, key: KeyId) {
        let Some(turnstile) = (self.turnstile)(&self.keys[key].key) else { return };
        let request = RequestId(OWN | self.number());
        self.turnstiles.insert(request, key);
        self.keys[key].turnstile = Some(request);
        let (mode, patience, need) = (Mode::Exclusive, Patience::No, Need::Nothing);
        self.asked(Asked { request, key: turnstile, mode, patience, need });
    }

    /// Another writer stands there, which serves as well. It is asked again when a slice is over.
    pub(super) fn turnstile_refused(&mut self, key: KeyId) {
        if self.keys.contains(key) {
            self.keys[key].turnstile = None;
        }
    }

    pub(super) fn leave_turnstile(&mut self, key: KeyId) {
        if let Some(request) = self.keys[key].turnstile.take() {
            self.turnstiles.remove(&request);
            self.drop_request(request);
        }
    }
}
