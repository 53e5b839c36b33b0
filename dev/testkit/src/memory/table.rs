use super::Mode;
use super::queue::{Answer, Queue, Waiter};
use std::collections::{HashMap, HashSet};
use tokio::sync::oneshot;

/// What names a session in its database.
pub(super) type SessionId = u64;

/// The answer to a request for a key.
#[derive(Debug)]
pub(super) enum Reply {
    Granted,
    /// Held elsewhere, and the request does not wait.
    Refused,
    Queued {
        ticket: u64,
        answer: oneshot::Receiver<Answer>,
    },
    AlreadyHeld,
    /// To wait would close a cycle.
    Deadlock,
    Ended,
}

/// Who holds what, and who waits for what.
#[derive(Debug, Default)]
pub(super) struct Table {
    live: HashSet<SessionId>,
    queues: HashMap<String, Queue>,
    numbers: u64,
}

impl Table {
    fn number(&mut self) -> u64 {
        self.numbers += 1;
        self.numbers
    }

    pub(super) fn connect(&mut self) -> SessionId {
        let session = self.number();
        self.live.insert(session);
        session
    }

    pub(super) fn is_live(&self, session: SessionId) -> bool {
        self.live.contains(&session)
    }

    pub(super) fn queue(&self, key: &str) -> Option<&Queue> {
        self.queues.get(key)
    }

    pub(super) fn ask(&mut self, session: SessionId, key: &str, mode: Mode, waits: bool) -> Reply {
        if !self.is_live(session) {
            return Reply::Ended;
        }
        let queue = self.queues.entry(key.to_owned()).or_default();
        if queue.sessions().any(|other| other == session) {
            return Reply::AlreadyHeld;
        }
        if queue.is_open(mode) {
            queue.hold(session, mode);
            return Reply::Granted;
        }
        match waits {
            false => Reply::Refused,
            true if self.closes_a_cycle(session, key, mode) => Reply::Deadlock,
            true => self.join(session, key, mode),
        }
    }

    fn join(&mut self, session: SessionId, key: &str, mode: Mode) -> Reply {
        let (sender, answer) = oneshot::channel();
        let ticket = self.number();
        let queue = self.queues.entry(key.to_owned()).or_default();
        queue.join(Waiter { session, mode, ticket, answer: sender });
        Reply::Queued { ticket, answer }
    }

    /// Whether somebody whom this request would wait for waits, in the end, for its session.
    fn closes_a_cycle(&self, session: SessionId, key: &str, mode: Mode) -> bool {
        let mut pending = self.queues.get(key).map_or_else(Vec::new, |queue| queue.blockers(mode));
        let mut seen = HashSet::new();
        while let Some(blocker) = pending.pop() {
            if blocker == session {
                return true;
            }
            if seen.insert(blocker) {
                pending.extend(self.queues.values().flat_map(|queue| queue.blockers_of(blocker)));
            }
        }
        false
    }

    /// Lets go of a key. `false`: the session did not hold it.
    pub(super) fn release(&mut self, session: SessionId, key: &str) -> bool {
        self.on(key, |queue| queue.release(session))
    }

    /// Ends a wait. `false`: it was answered already.
    pub(super) fn withdraw(&mut self, key: &str, ticket: u64) -> bool {
        self.on(key, |queue| queue.withdraw(ticket))
    }

    fn on(&mut self, key: &str, change: impl FnOnce(&mut Queue) -> bool) -> bool {
        let changed = self.queues.get_mut(key).is_some_and(change);
        self.queues.retain(|_, queue| !queue.is_idle());
        changed
    }

    /// Ends sessions: what they held is free, and their waits end.
    pub(super) fn end(&mut self, ended: &[SessionId]) {
        self.live.retain(|session| !ended.contains(session));
        self.queues.values_mut().for_each(|queue| queue.end(ended));
        self.queues.retain(|_, queue| !queue.is_idle());
    }
}

#[cfg(test)]
mod tests;
