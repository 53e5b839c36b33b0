use super::entry::Place;
use super::outbox::Part;
use super::registry::KeyId;
use super::session::Role;
use super::{Model, Need, Refusal, SessionId};
use std::hash::Hash;

impl<K: Clone + Eq + Hash, E: Clone> Model<K, E> {
    /// Asks for a free key, for the head of its queue.
    pub(super) fn ask(&mut self, key: KeyId) {
        let Some((head, mode)) = self.head(key) else { return };
        // A session of ours may hold it still, and would be in the way.
        if self.keys[key].probe.is_some() {
            return;
        }
        if self.requests[&head].need != Need::Nothing {
            self.park(key);
            return self.fill();
        }
        let session = self.serving();
        self.set_place(key, Place::Asked { session, mode });
        self.post(session, key, Part::Try);
    }

    /// The session that runs what is answered at once.
    pub(super) fn serving(&mut self) -> SessionId {
        let mut sessions = self.sessions.iter();
        let found = sessions.find(|(_, session)| session.role == Role::Serving).map(|(id, _)| *id);
        found.unwrap_or_else(|| self.new_session(Role::Serving))
    }

    /// A try was answered: somebody else has the key.
    pub(super) fn taken(&mut self, key: KeyId) {
        self.keys[key].interrupted = 0;
        self.keys[key].is_refused = true;
        self.park(key);
        self.watch_turnstile(key);
        self.refuse_tries(key);
    }

    /// Keys that no session waits for are tried, all at once: some are free by now.
    pub(super) fn retry(&mut self) {
        if self.now < self.retry_at || self.parked.is_empty() && self.late.is_empty() {
            return;
        }
        self.retry_at = self.now + self.about(self.settings.retry);
        self.fill();
        let waiting = self.parked.values().copied().take(self.settings.max_batch);
        for key in Vec::from_iter(waiting) {
            if matches!(self.keys[key].place, Place::Parked) && !self.needs_a_session(key) {
                self.ask(key);
            }
        }
    }

    pub(super) fn needs_a_session(&mut self, key: KeyId) -> bool {
        let head = self.head(key).and_then(|(head, _)| self.requests.get(&head));
        head.is_some_and(|request| request.need != Need::Nothing)
    }

    /// Every request for the key is refused.
    pub(super) fn refuse_all(&mut self, key: KeyId, refusal: &Refusal<E>) {
        for request in self.waiting(key) {
            self.refuse(request, refusal.clone());
        }
    }
}
