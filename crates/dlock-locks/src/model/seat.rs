use super::entry::Place;
use super::registry::KeyId;
use super::session::{Role, Session, State, Statement};
use super::{Action, Model, Moment, Patience, Refusal, SessionId};
use crate::Mode;
use std::hash::Hash;
use std::time::Duration;

impl<K: Clone + Eq + Hash, E: Clone> Model<K, E> {
    /// The key wants a session to wait on. One that was only tried meanwhile keeps its turn.
    pub(super) fn park(&mut self, key: KeyId) {
        self.set_place(key, Place::Parked);
        if self.keys[key].turn.is_none() {
            if self.parked.is_empty() {
                self.retry_at = self.now + self.about(self.settings.retry);
            }
            let turn = self.number();
            self.keys[key].turn = Some(turn);
            self.parked.insert(turn, key);
        }
    }

    pub(super) fn unpark(&mut self, key: KeyId) {
        if let Some(turn) = self.keys[key].turn.take() {
            self.parked.remove(&turn);
        }
    }

    /// Gives sessions to the keys that want one to wait on, as long as there are any.
    pub(super) fn fill(&mut self) {
        while let Some((key, mode)) = self.next_parked()
            && let Some(session) = self.free_to_wait()
        {
            self.unpark(key);
            self.wait(session, key, mode);
        }
        self.late.clone().into_iter().for_each(|key| self.probe(key));
        self.open_more();
    }

    fn next_parked(&mut self) -> Option<(KeyId, Mode)> {
        let mut keys = self.parked.values().copied();
        let key = keys.find(|key| matches!(self.keys[*key].place, Place::Parked))?;
        self.head(key).map(|(_, mode)| (key, mode))
    }

    pub(super) fn free_to_wait(&self) -> Option<SessionId> {
        let mut sessions = self.sessions.iter();
        sessions.find(|(_, session)| session.can_wait()).map(|(id, _)| *id)
    }

    /// Waits in the server's queue for one slice.
    fn wait(&mut self, session: SessionId, key: KeyId, mode: Mode) {
        let limit = self.slice(key);
        self.set_place(key, Place::Queued { session, mode });
        self.sent(session, Statement::Wait(key, self.now + limit));
        let key = self.keys[key].key.clone();
        self.actions.push(Action::Wait { session, key, mode, limit });
    }

    /// How long the key waits at a time: no longer than its only request does, and shorter while other keys
    /// want the session.
    fn slice(&mut self, key: KeyId) -> Duration {
        let others = !self.parked.is_empty();
        let head = self.head(key).and_then(|(head, _)| self.requests.get(&head));
        let Some((since, patience)) = head.map(|head| (head.since, head.patience)) else {
            return self.settings.turn;
        };
        let slice =
            if others { self.settings.turn } else { (self.settings.slice)(self.now - since) };
        let slice = slice.mul_f64(1.0 - self.rng.f64() / 10.0);
        let entry = &self.keys[key];
        let is_alone = entry.waiting.len() - entry.given_up == 1;
        match patience {
            Patience::No => Duration::ZERO,
            Patience::Until(end) if is_alone => slice.min(end.saturating_sub(self.now)),
            _ => slice,
        }
    }

    /// The slice is over, and the key is still held elsewhere: others have their turn.
    pub(super) fn slice_over(&mut self, key: KeyId) {
        self.set_place(key, Place::Parked);
        match self.keys[key].is_wanted() {
            true => self.taken(key),
            false => self.serve(key),
        }
    }

    /// Opens sessions to wait on while keys want them and it is allowed.
    fn open_more(&mut self) {
        let coming = self.count(will_wait);
        let mut wanted = self.wanted().saturating_sub(coming);
        while wanted > 0 && self.may_open() {
            self.new_session(Role::Waiting);
            wanted -= 1;
        }
        self.watch_room();
    }

    fn wanted(&self) -> usize {
        self.parked.len() + usize::from(!self.late.is_empty() && self.free_to_wait().is_none())
    }

    fn may_open(&self) -> bool {
        let all = self.sessions.len() + self.ending.len();
        self.count(could_wait) < self.settings.max_waiting && all < self.settings.max_sessions
    }

    /// How many of the sessions that are there to wait are like this.
    fn count(&self, like: impl Fn(&Session) -> bool) -> usize {
        let sessions = self.sessions.values().filter(|session| session.role == Role::Waiting);
        sessions.filter(|session| like(session)).count()
    }

    /// Where each session that is allowed holds a key, nobody can wait. Most keys are held for moments; who
    /// waits is told when it stays so.
    fn watch_room(&mut self) {
        let all = self.sessions.len() + self.ending.len();
        if self.parked.is_empty() || all < self.settings.max_sessions || self.count(could_wait) > 0
        {
            self.full_since = None;
            return;
        }
        let since = *self.full_since.get_or_insert(self.now);
        if self.now >= since + self.settings.patience {
            self.refuse_parked();
        }
    }

    fn refuse_parked(&mut self) {
        for key in Vec::from_iter(self.parked.values().copied()) {
            self.refuse_all(key, &Refusal::TooManySessions);
            self.serve(key);
        }
    }

    /// When a wait that began with this limit must have been answered.
    pub(super) fn wait_is_overdue(&self, until: Moment) -> Moment {
        until + self.settings.trust()
    }
}

/// Whether it will be able to wait as soon as the server has answered.
fn will_wait(session: &Session) -> bool {
    session.state != State::Open || session.holds == 0 && !session.is_waiting()
}

/// Whether it waits, or will be able to, without anybody's letting go first.
fn could_wait(session: &Session) -> bool {
    session.holds == 0
}
