use super::action::{Ask, What};
use super::entry::Place;
use super::registry::KeyId;
use super::session::{Sent, Session, Statement};
use super::{Action, Model, SessionId};
use crate::Mode;
use std::collections::VecDeque;
use std::hash::Hash;

/// A part of a batch, and what it is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Part {
    Try,
    Release,
    Undo,
    /// A try of a shared key by a session that does not hold it: may others join those who do?
    Probe,
    /// Lets go of what a probe was granted.
    EndProbe,
}

impl Part {
    fn what(self) -> What {
        match self {
            Part::Try | Part::Probe => What::Try,
            Part::Release | Part::EndProbe => What::Release,
            Part::Undo => What::Undo,
        }
    }
}

impl<K: Clone + Eq + Hash, E: Clone> Model<K, E> {
    /// Has it go out with the next batch of this session.
    pub(super) fn post(&mut self, session: SessionId, key: KeyId, part: Part) {
        if let Some(session) = self.sessions.get_mut(&session) {
            session.outbox.push_back((key, part));
        }
    }

    /// Sends what is to be sent, on every session that may send now.
    pub(super) fn send(&mut self) {
        let ids = Vec::from_iter(self.sessions.keys().copied());
        for id in ids {
            while let Some(parts) = self.next_batch(id) {
                self.send_batch(id, parts);
            }
            self.pay_ping(id);
        }
    }

    fn next_batch(&mut self, id: SessionId) -> Option<Vec<(KeyId, Part)>> {
        let (limit, in_flight) = (self.settings.max_batch, self.settings.in_flight);
        let session = self.sessions.get_mut(&id)?;
        let is_free = session.is_open() && !session.is_waiting() && session.batches() < in_flight;
        if session.outbox.is_empty() || !is_free {
            return None;
        }
        let keys = &self.keys;
        let is_suspect =
            |(key, part): &(KeyId, Part)| *part == Part::Try && keys[*key].interrupted > 0;
        Some(take_batch(&mut session.outbox, limit, is_suspect))
    }

    fn send_batch(&mut self, id: SessionId, parts: Vec<(KeyId, Part)>) {
        let asks = parts.iter().map(|(key, part)| self.ask_for(*key, *part)).collect();
        self.counts.batches += 1;
        self.sent(id, Statement::Batch(parts));
        self.actions.push(Action::Batch { session: id, asks });
    }

    fn ask_for(&self, key: KeyId, part: Part) -> Ask<K> {
        let entry = &self.keys[key];
        let mode = match (&entry.place, part) {
            (_, Part::Probe | Part::EndProbe) => entry.probe.map_or(Mode::Shared, |it| it.mode),
            (Place::Held(stay), _) => stay.mode,
            (
                Place::Asked { mode, .. }
                | Place::Queued { mode, .. }
                | Place::Leaving { mode, .. }
                | Place::Undoing { mode, .. },
                _,
            ) => *mode,
            (Place::Free | Place::Parked, _) => Mode::Exclusive,
        };
        Ask { what: part.what(), key: entry.key.clone(), mode }
    }

    /// Notes what is sent now.
    pub(super) fn sent(&mut self, id: SessionId, statement: Statement) {
        let now = self.now;
        if let Some(session) = self.sessions.get_mut(&id) {
            if !matches!(statement, Statement::Ping) {
                session.used = now;
            }
            session.sent = now;
            session.unanswered.push_back(Sent { at: now, statement });
        }
    }

    fn pay_ping(&mut self, id: SessionId) {
        let owes = |session: &&mut Session| session.owes_a_ping && session.is_open();
        if let Some(session) = self.sessions.get_mut(&id).filter(owes) {
            session.owes_a_ping = false;
            self.ping(id);
        }
    }
}

/// What goes out together. What was suspect in an interrupted batch goes alone.
fn take_batch(
    outbox: &mut VecDeque<(KeyId, Part)>,
    limit: usize,
    is_suspect: impl Fn(&(KeyId, Part)) -> bool,
) -> Vec<(KeyId, Part)> {
    let trusted = outbox.iter().take(limit).take_while(|part| !is_suspect(part)).count();
    outbox.drain(..trusted.max(1)).collect()
}
