//! A fenced hold is handed out once its fence is raised: the fenced transactions of earlier holders are over
//! then, or refused.

use super::registry::KeyId;
use super::session::Statement;
use super::{Action, Model, Moment, Need, Patience, Refusal, RequestId};
use std::hash::Hash;
use std::time::Duration;

impl<K: Clone + Eq + Hash, E: Clone> Model<K, E> {
    /// No statement lasts for so long that the session could not prove that it lives.
    pub(super) fn raise(&mut self, key: KeyId, request: RequestId) {
        let Some(session) = self.keys[key].stay().map(|stay| stay.session) else { return };
        let left = self.time_left(self.requests[&request].patience);
        // Who does not wait for the key waits for the two statements.
        let shortest = Duration::from_millis(100);
        let limit = left.max(shortest).min(self.settings.ping());
        self.sent(session, Statement::Raise(key, request));
        let key = self.keys[key].key.clone();
        self.actions.push(Action::Raise { session, key, limit });
    }

    pub(super) fn raised(
        &mut self,
        key: KeyId,
        request: RequestId,
        answer: Result<Option<u64>, E>,
    ) {
        if !self.is_raising(request) {
            return;
        }
        let Some(session) = self.keys[key].stay().map(|stay| stay.session) else { return };
        match answer {
            Ok(Some(token)) => self.grant_fenced(request, session, token),
            Ok(None) if self.is_out_of(self.requests[&request].patience) => {
                self.refuse_raise(request, Refusal::TimedOut);
            }
            Ok(None) => self.raise(key, request),
            Err(error) => self.refuse_raise(request, Refusal::Failed(error)),
        }
    }

    fn grant_fenced(&mut self, request: RequestId, session: super::SessionId, token: u64) {
        if let Some(granted) = self.requests.get_mut(&request) {
            granted.need = Need::Session;
        }
        self.grant(request, session, Some(token));
    }

    pub(super) fn is_raising(&self, request: RequestId) -> bool {
        let request = self.requests.get(&request);
        request.is_some_and(|request| request.has_it && request.need == Need::Fence)
    }

    pub(super) fn refuse_raise(&mut self, request: RequestId, refusal: Refusal<E>) {
        self.tell_refusal(request, refusal);
        self.give_back(request, false);
    }

    /// The key went away with its session before the caller had it: it is asked for again.
    pub(super) fn queue_again(&mut self, id: RequestId) {
        let Some(request) = self.requests.get_mut(&id) else { return };
        request.has_it = false;
        let entry = &mut self.keys[request.key];
        entry.tries += usize::from(request.patience == Patience::No);
        entry.waiting.push_front(id);
    }

    /// How long a request may take from now on.
    pub(super) fn time_left(&self, patience: Patience) -> Duration {
        match patience {
            Patience::No => Duration::ZERO,
            Patience::Until(end) => end.saturating_sub(self.now),
            Patience::Forever => Moment::MAX,
        }
    }

    pub(super) fn is_out_of(&self, patience: Patience) -> bool {
        self.time_left(patience).is_zero()
    }
}
