//! Every user lock of one database: who holds what and who waits, as `DBMS_LOCK` keeps it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use crate::mode::Mode;
use crate::resource::{Claim, Lifetime, Resource, SessionId};

/// What became of a request or a conversion at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The session has the lock in the mode it asked for.
    Granted,
    /// The session is in the queue.
    Queued,
    /// The session holds this lock already (a request), or does not hold it (a conversion).
    Refused,
}

/// A line of `V$LOCK`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line {
    /// The session that holds or waits.
    pub session: SessionId,
    /// The number of the lock.
    pub id: i64,
    /// The mode in which it is held.
    pub held: Option<Mode>,
    /// The mode that is waited for.
    pub requested: Option<Mode>,
    /// When it was granted, or asked for.
    pub since: Instant,
}

/// The user locks of one database.
#[derive(Debug, Default)]
pub struct Locks {
    resources: BTreeMap<i64, Resource>,
}

impl Locks {
    /// Asks for a lock: granted, or queued behind everyone who already waits.
    pub fn request(
        &mut self,
        session: SessionId,
        id: i64,
        mode: Mode,
        lifetime: Lifetime,
    ) -> Outcome {
        let resource = self.resources.entry(id).or_default();
        if resource.held_by(session).is_some() {
            return Outcome::Refused;
        }
        let claim = Claim { session, mode, lifetime, since: Instant::now() };
        if resource.admits(claim) && (mode == Mode::Null || !resource.is_queued()) {
            resource.holders.push(claim);
            return Outcome::Granted;
        }
        resource.waiters.push_back(claim);
        Outcome::Queued
    }

    /// Asks for another mode of a lock that is held.
    pub fn convert(&mut self, session: SessionId, id: i64, mode: Mode) -> Outcome {
        let Some(resource) = self.resources.get_mut(&id) else {
            return Outcome::Refused;
        };
        let Some(held) = resource.held_by(session) else {
            return Outcome::Refused;
        };
        let claim = Claim { mode, ..held };
        if !resource.admits(claim) {
            resource.converters.push_back(claim);
            return Outcome::Queued;
        }
        resource.set_mode(session, mode);
        resource.advance();
        Outcome::Granted
    }

    /// Gives a lock back; `false` when the session does not hold it.
    pub fn release(&mut self, session: SessionId, id: i64) -> bool {
        let Some(resource) = self.resources.get_mut(&id) else {
            return false;
        };
        let held = resource.forget_holder(session);
        self.settle();
        held
    }

    /// Takes a session out of whatever queue it is in.
    pub fn withdraw(&mut self, session: SessionId) {
        for resource in self.resources.values_mut() {
            resource.forget_waiter(session);
        }
        self.settle();
    }

    /// COMMIT or ROLLBACK: frees what was to live as long as the transaction.
    pub fn end_transaction(&mut self, session: SessionId) {
        for resource in self.resources.values_mut() {
            let ends =
                |held: &Claim| held.session == session && held.lifetime == Lifetime::Transaction;
            resource.holders.retain(|held| !ends(held));
        }
        self.settle();
    }

    /// Frees everything that a session holds and takes it out of every queue.
    pub fn end_session(&mut self, session: SessionId) {
        for resource in self.resources.values_mut() {
            resource.forget_holder(session);
            resource.forget_waiter(session);
        }
        self.settle();
    }

    /// Whether a session is in a queue.
    pub fn is_waiting(&self, session: SessionId) -> bool {
        self.resources.values().any(|resource| resource.awaited_by(session).is_some())
    }

    /// Whether a session waits for itself, over any number of others.
    pub fn is_deadlocked(&self, session: SessionId) -> bool {
        let mut seen = BTreeSet::new();
        let mut open = self.blockers(session);
        while let Some(next) = open.pop() {
            if next == session {
                return true;
            }
            if seen.insert(next) {
                open.extend(self.blockers(next));
            }
        }
        false
    }

    /// Every holder and every waiter, as `V$LOCK` shows them.
    pub fn lines(&self) -> Vec<Line> {
        let mut lines = Vec::new();
        for (&id, resource) in &self.resources {
            for held in &resource.holders {
                let session = held.session;
                let requested = resource.converters.iter().find(|claim| claim.session == session);
                let requested = requested.map(|claim| claim.mode);
                lines.push(Line {
                    session,
                    id,
                    held: Some(held.mode),
                    requested,
                    since: held.since,
                });
            }
            for claim in &resource.waiters {
                lines.push(Line {
                    session: claim.session,
                    id,
                    held: None,
                    requested: Some(claim.mode),
                    since: claim.since,
                });
            }
        }
        lines
    }

    fn blockers(&self, session: SessionId) -> Vec<SessionId> {
        let resources = self.resources.values();
        resources.flat_map(|resource| resource.blockers(session)).collect()
    }

    fn settle(&mut self) {
        for resource in self.resources.values_mut() {
            resource.advance();
        }
        self.resources.retain(|_, resource| !resource.is_idle());
    }
}

#[cfg(test)]
mod tests;
