//! A statement that ends with an error says nothing about its keys: some may be held. Each is let go of
//! and asked for again, alone from then on, so that one that the server refuses is found.

use super::entry::Place;
use super::outbox::Part;
use super::registry::KeyId;
use super::{Model, Refusal, SessionId};
use std::hash::Hash;

/// How often a key is asked for without an answer before its requests are told.
const ATTEMPTS: u32 = 3;
/// How many batches of a session may be interrupted in a row before it is given up.
const INTERRUPTIONS: u32 = 10;

impl<K: Clone + Eq + Hash, E: Clone> Model<K, E> {
    pub(super) fn batch_interrupted(
        &mut self,
        id: SessionId,
        parts: Vec<(KeyId, Part)>,
        error: &E,
    ) {
        for (key, part) in parts {
            match part {
                Part::Probe | Part::EndProbe => self.post(id, key, Part::EndProbe),
                Part::Try => self.undo(id, key, error),
                Part::Release | Part::Undo => self.undo(id, key, error),
            }
        }
        self.count_interruption(id);
    }

    pub(super) fn wait_interrupted(&mut self, id: SessionId, key: KeyId, error: &E) {
        self.undo(id, key, error);
        self.count_interruption(id);
    }

    fn count_interruption(&mut self, id: SessionId) {
        let Some(session) = self.sessions.get_mut(&id) else { return };
        session.interrupted += 1;
        if session.interrupted > INTERRUPTIONS {
            self.expire(id);
        }
    }

    fn undo(&mut self, session: SessionId, key: KeyId, error: &E) {
        let (mode, tell, is_try) = match self.keys[key].place {
            Place::Asked { mode, .. } | Place::Queued { mode, .. } => (mode, None, true),
            Place::Leaving { mode, tell, .. } | Place::Undoing { mode, tell, .. } => {
                (mode, tell, false)
            }
            _ => return,
        };
        self.unpark(key);
        self.set_place(key, Place::Undoing { session, mode, tell });
        self.post(session, key, Part::Undo);
        if is_try {
            self.keys[key].interrupted += 1;
            if self.keys[key].interrupted >= ATTEMPTS {
                self.keys[key].interrupted = 0;
                self.refuse_all(key, &Refusal::Failed(error.clone()));
            }
        }
    }
}
