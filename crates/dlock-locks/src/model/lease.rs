//! When a session is asked for a sign of life, and when it is not trusted any more.

use super::entry::Place;
use super::session::{Session, State, Statement};
use super::{Action, Ending, Model, Moment, Refusal, RequestId, SessionId};
use crate::LostReason;
use std::hash::Hash;

impl<K: Clone + Eq + Hash, E: Clone> Model<K, E> {
    /// Statements that were sent then were answered: the server counts its silence from there or later.
    pub(super) fn trust(&mut self, id: SessionId, sent: Moment) {
        let Some(session) = self.sessions.get_mut(&id) else { return };
        session.answered = session.answered.max(sent);
        if !session.is_proven {
            session.is_proven = true;
            self.failures = 0;
        }
        self.actions.push(Action::Trust { session: id, sent });
    }

    pub(super) fn watch_sessions(&mut self) {
        for id in Vec::from_iter(self.sessions.keys().copied()) {
            self.watch_session(id);
            self.keep_alive(id);
        }
    }

    /// Opens a session whose time has come, and gives one up that has been silent for too long.
    pub(super) fn watch_session(&mut self, id: SessionId) {
        let (now, overdue) = (self.now, self.overdue(id));
        let Some(session) = self.sessions.get_mut(&id) else { return };
        match session.state {
            State::Due(due) if due <= now => {
                session.state = State::Opening;
                self.actions.push(Action::Open(id));
            }
            State::Open if overdue.is_some_and(|end| end <= now) => self.expire(id),
            _ => {}
        }
    }

    /// Asks an idle session for a sign of life, or closes it when nobody has needed it for long.
    fn keep_alive(&mut self, id: SessionId) {
        let Some(session) = self.sessions.get(&id).filter(|it| self.is_quiet(it)) else { return };
        if self.now < session.sent + self.settings.ping() {
            return;
        }
        if session.is_idle() && self.now >= session.used + self.settings.idle {
            self.end(id, Ending::AfterAnswers);
            return self.gone(id, LostReason::Closed);
        }
        self.ping(id);
    }

    fn is_quiet(&self, session: &Session) -> bool {
        session.is_open() && session.unanswered.is_empty()
    }

    /// When a session may not be relied on any more.
    pub(super) fn overdue(&self, id: SessionId) -> Option<Moment> {
        let session = self.sessions.get(&id)?;
        let oldest = session.unanswered.front();
        match oldest.map(|sent| (&sent.statement, sent.at)) {
            _ if session.holds > 0 => Some(session.answered + self.settings.trust()),
            Some((Statement::Wait(_, until), _)) => Some(self.wait_is_overdue(*until)),
            Some((_, at)) => Some(at + self.settings.trust()),
            None => None,
        }
    }

    pub(super) fn session_alarm(&self, session: &Session) -> Option<Moment> {
        match session.state {
            State::Due(due) => return Some(due),
            State::Opening => return None,
            State::Open => {}
        }
        let trust = self.settings.trust();
        let ping = self.is_quiet(session).then(|| session.sent + self.settings.ping());
        let held = (session.holds > 0).then(|| session.answered + trust);
        let sent = session.unanswered.front().map(|sent| match sent.statement {
            Statement::Wait(_, until) => self.wait_is_overdue(until),
            _ => sent.at + trust,
        });
        ping.into_iter().chain(held).chain(sent).min()
    }

    pub(super) fn owe_a_ping(&mut self, id: SessionId) {
        if let Some(session) = self.sessions.get_mut(&id) {
            session.owes_a_ping = true;
        }
    }

    pub(super) fn ping(&mut self, id: SessionId) {
        self.sent(id, Statement::Ping);
        self.actions.push(Action::Ping(id));
    }

    /// A sign of life: what was granted by an answer that came late may be handed out now.
    pub(super) fn confirm(&mut self, id: SessionId) {
        for key in Vec::from_iter(self.keys.all()) {
            let Some(stay) = self.keys[key].stay().filter(|it| it.session == id && it.is_late)
            else {
                continue;
            };
            let mode = stay.mode;
            self.granted(key, id, mode, self.now);
        }
    }

    /// The session is not trusted any more: not another word is sent, since a ping that still arrived
    /// would keep its keys.
    pub(super) fn expire(&mut self, id: SessionId) {
        self.end(id, Ending::AtOnce);
        self.gone(id, LostReason::Silent);
    }

    /// Ends a session that is open or being opened.
    pub(super) fn end(&mut self, id: SessionId, how: Ending) {
        if matches!(self.sessions.get(&id), Some(Session { state: State::Due(_), .. })) {
            return;
        }
        self.ending.insert(id);
        self.actions.push(Action::End { session: id, how });
    }

    /// Everything that stood with a session is lost, or is asked for again elsewhere.
    pub(super) fn gone(&mut self, id: SessionId, reason: LostReason) {
        let stood = |key: &super::KeyId| self.keys[*key].place.session() == Some(id);
        let keys = Vec::from_iter(self.keys.all().filter(stood));
        let probed = |key: &super::KeyId| self.keys[*key].is_probed_by(id);
        let probes = Vec::from_iter(self.keys.all().filter(probed));
        self.sessions.remove(&id);
        for key in &keys {
            self.lose(*key, reason);
        }
        for key in keys {
            // To serve one may end another: its turnstile.
            if self.keys.contains(key) {
                self.serve(key);
            }
        }
        for key in probes {
            if self.keys.contains(key) && self.keys[key].is_probed_by(id) {
                self.probe_ended(key);
            }
        }
        self.fill();
    }

    fn lose_hold(&mut self, request: RequestId, reason: LostReason) {
        let is_raising = self.is_raising(request);
        if is_raising && !self.is_closed {
            return self.queue_again(request);
        }
        self.forget(request);
        if is_raising {
            return self.tell_refusal(request, Refusal::Closed);
        }
        match self.turnstiles.remove(&request) {
            Some(key) => self.turnstile_refused(key),
            None => {
                self.counts.losses += 1;
                self.actions.push(Action::Lose { request, reason });
            }
        }
    }

    fn lose(&mut self, key: super::KeyId, reason: LostReason) {
        self.unpark(key);
        match self.set_place(key, Place::Free) {
            Place::Held(stay) => {
                stay.holders.into_iter().for_each(|request| self.lose_hold(request, reason));
            }
            Place::Leaving { tell: Some(request), .. } => {
                self.actions.push(Action::Done { request, released: Err(reason) });
            }
            Place::Undoing { tell: Some(request), .. } => {
                self.actions.push(Action::Done { request, released: Ok(()) });
            }
            _ => {}
        }
    }
}
