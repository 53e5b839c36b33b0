use super::{Action, Ending, Model, Refusal};
use crate::LostReason;
use std::hash::Hash;

impl<K: Clone + Eq + Hash, E: Clone> Model<K, E> {
    /// Lets everything go: who waits is refused, who holds has lost, and every session ends.
    pub(super) fn close(&mut self) {
        self.is_closed = true;
        for key in Vec::from_iter(self.keys.all()) {
            self.refuse_all(key, &Refusal::Closed);
        }
        while let Some(id) = self.sessions.keys().next().copied() {
            self.end(id, Ending::AfterAnswers);
            self.gone(id, LostReason::Closed);
        }
        self.close_if_over();
    }

    pub(super) fn close_if_over(&mut self) {
        if self.is_closed && self.sessions.is_empty() && self.ending.is_empty() {
            self.actions.push(Action::Closed);
        }
    }
}
