use crate::fences::Fences;
use crate::life::Life;
use crate::queue::{Answer, Queue, Waiter};
use crate::{Key, Mode};
use dlock_locks::Holder;
use std::collections::{HashMap, HashSet};
use tokio::sync::oneshot;

/// What names a session in its database.
pub(crate) type SessionId = u64;

/// The answer to a request for a key.
#[derive(Debug)]
pub(crate) enum Reply {
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
pub(crate) struct Table {
    pub(crate) live: HashMap<SessionId, Life>,
    queues: HashMap<String, Queue>,
    numbers: u64,
    pub(crate) fences: Fences,
    /// Whether somebody looks whose lease is over.
    pub(crate) is_reaped: bool,
}

impl Table {
    fn number(&mut self) -> u64 {
        self.numbers += 1;
        self.numbers
    }

    pub(crate) fn connect(&mut self, life: Life) -> SessionId {
        let session = self.number();
        self.live.insert(session, life);
        session
    }

    pub(crate) fn is_live(&self, session: SessionId) -> bool {
        self.live.contains_key(&session)
    }

    pub(crate) fn queue(&self, key: &str) -> Option<&Queue> {
        self.queues.get(key)
    }

    /// Who holds and who waits, for any key or for this one.
    pub(crate) fn inspect(&self, key: Option<&str>) -> Vec<Holder<Key>> {
        let queues = self.queues.iter().filter(|(name, _)| key.is_none_or(|key| key == *name));
        let requests = queues.flat_map(|(name, queue)| queue.requests().map(move |it| (name, it)));
        let holder = |(name, (session, mode, waits)): (&String, (SessionId, Mode, bool))| {
            Holder::new(name.into(), mode, waits, session.to_string())
        };
        requests.map(holder).collect()
    }

    pub(crate) fn ask(&mut self, session: SessionId, key: &str, mode: Mode, waits: bool) -> Reply {
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
    pub(crate) fn release(&mut self, session: SessionId, key: &str) -> bool {
        self.on(key, |queue| queue.release(session))
    }

    /// Ends a wait. `false`: it was answered already.
    pub(crate) fn withdraw(&mut self, key: &str, ticket: u64) -> bool {
        self.on(key, |queue| queue.withdraw(ticket))
    }

    /// The sessions that were silent for longer than their lease. Who waits is not idle.
    pub(crate) fn silent(&self) -> Vec<SessionId> {
        let waits = |id: &SessionId| self.queues.values().any(|queue| queue.awaits(*id));
        let silent = self.live.iter().filter(|(id, life)| life.is_over() && !waits(id));
        silent.map(|(id, _)| *id).collect()
    }

    fn on(&mut self, key: &str, change: impl FnOnce(&mut Queue) -> bool) -> bool {
        let Some(queue) = self.queues.get_mut(key) else { return false };
        let changed = change(queue);
        if queue.is_idle() {
            self.queues.remove(key);
        }
        changed
    }

    /// Ends sessions: what they held is free, and their waits end.
    pub(crate) fn end(&mut self, ended: &[SessionId]) {
        self.live.retain(|session, _| !ended.contains(session));
        self.queues.values_mut().for_each(|queue| queue.end(ended));
        self.queues.retain(|_, queue| !queue.is_idle());
    }
}

#[cfg(test)]
mod tests;
