//! A shared key may stay for long, since one reader takes its time. Later readers may join for as long
//! as nobody waits for the key elsewhere. The server knows: another session asks for the key in shared
//! mode, which is refused where a writer waits.

use super::outbox::Part;
use super::registry::KeyId;
use super::session::Role;
use super::{Model, SessionId};
use crate::Mode;
use std::hash::Hash;

/// A session that was asked for a key which another of ours holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Probe {
    pub(crate) session: SessionId,
    pub(crate) mode: Mode,
}

impl<K: Clone + Eq + Hash, E: Clone> Model<K, E> {
    /// Asks whether the key may be joined, unless that is asked already or there is no session for it.
    pub(super) fn probe(&mut self, key: KeyId) {
        let stay = self.keys[key].stay().map(|stay| (stay.session, stay.mode));
        let Some((holder, mode)) = stay else { return };
        if self.keys[key].probe.is_some() || self.now < self.keys[key].probe_at {
            return;
        }
        if let Some(session) = self.prober(holder) {
            self.keys[key].probe = Some(Probe { session, mode });
            self.post(session, key, Part::Probe);
        }
    }

    fn prober(&self, holder: SessionId) -> Option<SessionId> {
        let mut sessions = self.sessions.iter();
        let is_serving = |role: Role, id: SessionId, is_open: bool| {
            role == Role::Serving && id != holder && is_open
        };
        let serving = sessions.find(|(id, it)| is_serving(it.role, **id, it.is_open()));
        serving.map(|(id, _)| *id).or_else(|| self.free_to_wait())
    }

    pub(super) fn probed(&mut self, session: SessionId, key: KeyId, granted: bool) {
        let now = self.now;
        if !granted {
            self.keys[key].probe = None;
            self.keys[key].probe_at = now + self.settings.retry;
        } else {
            self.post(session, key, Part::EndProbe);
            if let Some(stay) = self.keys[key].stay_mut() {
                stay.since = now;
                self.late.remove(&key);
            }
        }
        // What may be joined is joined now; who does not wait has an answer otherwise.
        self.after_probe(key);
    }

    /// The session that was asked holds the key no more.
    pub(super) fn probe_ended(&mut self, key: KeyId) {
        self.keys[key].probe = None;
        self.after_probe(key);
    }

    fn after_probe(&mut self, key: KeyId) {
        let refused = self.keys[key].probe.is_none();
        let was_late = self.late.remove(&key);
        match refused && was_late && self.keys[key].stay().is_some() {
            // A writer waits somewhere: nobody joins before the next time it is asked.
            true => {
                self.refuse_tries(key);
                if self.keys.contains(key) && self.keys[key].is_wanted() {
                    self.late.insert(key);
                }
            }
            false => self.serve(key),
        }
    }
}
