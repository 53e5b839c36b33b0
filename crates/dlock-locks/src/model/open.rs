use super::registry::KeyId;
use super::session::{Role, Session, State};
use super::{Ending, Model, Moment, Patience, Refusal, SessionId};
use crate::LostReason;
use std::hash::Hash;
use std::time::Duration;

/// How long it is until a session is opened again, the first time it could not be: doubled each time.
const BACK_OFF: Duration = Duration::from_millis(100);
/// The longest that becomes.
const LONGEST_BACK_OFF: Duration = Duration::from_secs(5);

impl<K: Clone + Eq + Hash, E: Clone> Model<K, E> {
    pub(super) fn new_session(&mut self, role: Role) -> SessionId {
        let id = SessionId(self.number());
        let due = self.now.max(self.next_open);
        self.sessions.insert(id, Session::new(role, due, self.now));
        self.watch_session(id);
        id
    }

    pub(super) fn opened(&mut self, id: SessionId, server: String) {
        if !self.sessions.contains_key(&id) {
            return;
        }
        if self.is_another(&server) {
            self.end(id, Ending::AfterAnswers);
            self.put_off();
            return self.not_opened(id, None);
        }
        let now = self.now;
        if let Some(session) = self.sessions.get_mut(&id) {
            session.state = State::Open;
            session.server = server;
            (session.answered, session.sent, session.used) = (now, now, now);
        }
        self.was_open = true;
        self.fill();
    }

    /// Whether the server is not the one that holds our keys.
    fn is_another(&self, server: &str) -> bool {
        self.sessions.values().any(|other| other.is_open() && other.server != server)
    }

    pub(super) fn ended(&mut self, id: SessionId, error: Option<E>) {
        if self.ending.remove(&id) {
            return self.close_if_over();
        }
        let Some(session) = self.sessions.get(&id) else { return };
        let (was_open, is_proven) = (session.is_open(), session.is_proven);
        if !is_proven {
            self.put_off();
        }
        match was_open {
            true => self.gone(id, LostReason::SessionEnded),
            false => self.not_opened(id, error),
        }
    }

    /// The next session is opened later, and later each time.
    fn put_off(&mut self) {
        let factor = 1 << self.failures.min(16);
        self.failures += 1;
        let pause = (BACK_OFF * factor).min(LONGEST_BACK_OFF);
        self.next_open = self.now + self.about(pause);
    }

    /// A session could not be opened: those who waited for it for long enough are told why.
    fn not_opened(&mut self, id: SessionId, error: Option<E>) {
        let stood = |key: &KeyId| self.keys[*key].place.session() == Some(id);
        let mut keys = Vec::from_iter(self.keys.all().filter(stood));
        let parked = Vec::from_iter(self.parked.values().copied());
        keys.extend(parked.into_iter().filter(|key| self.needs_a_session(*key)));
        for key in &keys {
            self.refuse_impatient(*key, &Refusal::NoSession(error.clone()));
        }
        self.gone(id, LostReason::SessionEnded);
        keys.retain(|key| self.keys.contains(*key));
        keys.into_iter().for_each(|key| self.serve(key));
    }

    fn refuse_impatient(&mut self, key: KeyId, refusal: &Refusal<E>) {
        for request in self.waiting(key) {
            let (since, patience) = {
                let request = &self.requests[&request];
                (request.since, request.patience)
            };
            if self.is_over(since, patience) {
                self.refuse(request, refusal.clone());
            }
        }
    }

    fn is_over(&self, since: Moment, patience: Patience) -> bool {
        let long = self.now >= since + self.settings.patience;
        long || !self.was_open || patience == Patience::No
    }
}
