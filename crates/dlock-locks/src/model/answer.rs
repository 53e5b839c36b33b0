use super::entry::Place;
use super::outbox::Part;
use super::registry::KeyId;
use super::session::{Sent, Statement};
use super::{Action, Answer, Model, Moment, SessionId};
use crate::LostReason;
use std::hash::Hash;

impl<K: Clone + Eq + Hash, E: Clone> Model<K, E> {
    /// The oldest unanswered statement of a session was answered.
    pub(super) fn answered(&mut self, id: SessionId, answer: Answer<E>) {
        // What comes after the end of trust comes too late.
        self.watch_session(id);
        let Some(sent) = self.sessions.get_mut(&id).and_then(|it| it.unanswered.pop_front()) else {
            return;
        };
        self.trust(id, sent.at);
        self.take_in(id, sent, answer);
        self.fill();
    }

    fn take_in(&mut self, id: SessionId, Sent { at, statement }: Sent, answer: Answer<E>) {
        match (statement, answer) {
            (Statement::Batch(parts), Answer::Batch(Ok(truths))) if parts.len() == truths.len() => {
                self.batch_answered(id, at, parts, truths);
            }
            (Statement::Batch(parts), Answer::Batch(Err(error))) => {
                self.batch_interrupted(id, parts, &error);
            }
            (Statement::Wait(key, _), Answer::Wait(answer)) => {
                self.wait_answered(id, at, key, answer);
            }
            (Statement::Convert(key), Answer::Convert(answer)) => self.converted(id, key, answer),
            (Statement::Raise(key, request), Answer::Raise(answer)) => {
                self.raised(key, request, answer);
            }
            (Statement::Ping, Answer::Pong) => self.confirm(id),
            _ => self.expire(id),
        }
    }

    fn batch_answered(
        &mut self,
        id: SessionId,
        sent: Moment,
        parts: Vec<(KeyId, Part)>,
        truths: Vec<bool>,
    ) {
        if let Some(session) = self.sessions.get_mut(&id) {
            session.interrupted = 0;
        }
        for ((key, part), truth) in parts.into_iter().zip(truths) {
            self.part_answered(id, sent, key, part, truth);
        }
    }

    fn part_answered(&mut self, id: SessionId, sent: Moment, key: KeyId, part: Part, truth: bool) {
        match (part, &self.keys[key].place) {
            (Part::Try, Place::Asked { mode, .. }) if truth => {
                let mode = *mode;
                self.granted(key, id, mode, sent);
            }
            (Part::Try, _) => self.slice_over(key),
            (Part::Release, _) => self.left(key, truth),
            (Part::Undo, _) => self.left(key, true),
            (Part::Probe, _) => self.probed(id, key, truth),
            (Part::EndProbe, _) => self.probe_ended(key),
        }
    }

    fn wait_answered(&mut self, id: SessionId, sent: Moment, key: KeyId, answer: Result<bool, E>) {
        let Place::Queued { mode, .. } = self.keys[key].place else { return };
        match answer {
            Ok(true) => self.granted(key, id, mode, sent),
            Ok(false) => self.slice_over(key),
            Err(error) => self.wait_interrupted(id, key, &error),
        }
    }

    /// Has the server let a key go.
    pub(super) fn let_go(&mut self, key: KeyId, tell: Option<super::RequestId>) {
        let Some(stay) = self.keys[key].stay() else { return };
        let (session, mode) = (stay.session, stay.mode);
        self.set_place(key, Place::Leaving { session, mode, tell });
        self.post(session, key, Part::Release);
    }

    /// The server has let a key go, or says that it was not held.
    pub(super) fn left(&mut self, key: KeyId, was_held: bool) {
        let old = self.set_place(key, Place::Free);
        if let Place::Leaving { tell: Some(request), .. }
        | Place::Undoing { tell: Some(request), .. } = old
        {
            let released = if was_held { Ok(()) } else { Err(LostReason::NotHeld) };
            self.actions.push(Action::Done { request, released });
        }
        self.serve(key);
    }
}
