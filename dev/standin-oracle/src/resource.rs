//! One user lock: its holders and its two queues.

use std::collections::VecDeque;
use std::time::Instant;

use crate::mode::Mode;

/// The number of a session, unique within its database.
pub type SessionId = u32;

/// How long a granted lock lives when nobody releases it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lifetime {
    /// Until the session ends.
    Session,
    /// Until the transaction ends, `release_on_commit => TRUE`.
    Transaction,
}

/// A session that holds the lock, or waits for it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Claim {
    pub(crate) session: SessionId,
    pub(crate) mode: Mode,
    pub(crate) lifetime: Lifetime,
    /// When it was granted, or asked for.
    pub(crate) since: Instant,
}

/// The holders of one lock and those who wait for it, in order.
///
/// A conversion goes ahead of every new request, as in the server's enqueues.
#[derive(Debug, Default)]
pub(crate) struct Resource {
    pub(crate) holders: Vec<Claim>,
    pub(crate) converters: VecDeque<Claim>,
    pub(crate) waiters: VecDeque<Claim>,
}

impl Resource {
    pub(crate) fn held_by(&self, session: SessionId) -> Option<Claim> {
        let mut holders = self.holders.iter();
        holders.find(|claim| claim.session == session).copied()
    }

    pub(crate) fn awaited_by(&self, session: SessionId) -> Option<Claim> {
        let mut queues = self.converters.iter().chain(&self.waiters);
        queues.find(|claim| claim.session == session).copied()
    }

    /// Whether every other holder admits `claim`.
    pub(crate) fn admits(&self, claim: Claim) -> bool {
        let mut others = self.holders.iter().filter(|held| held.session != claim.session);
        others.all(|held| held.mode.admits(claim.mode))
    }

    pub(crate) fn is_queued(&self) -> bool {
        !self.converters.is_empty() || !self.waiters.is_empty()
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.holders.is_empty() && !self.is_queued()
    }

    pub(crate) fn forget_holder(&mut self, session: SessionId) -> bool {
        let before = self.holders.len();
        self.holders.retain(|claim| claim.session != session);
        self.holders.len() != before
    }

    pub(crate) fn forget_waiter(&mut self, session: SessionId) {
        self.converters.retain(|claim| claim.session != session);
        self.waiters.retain(|claim| claim.session != session);
    }

    pub(crate) fn set_mode(&mut self, session: SessionId, mode: Mode) {
        for held in self.holders.iter_mut().filter(|held| held.session == session) {
            (held.mode, held.since) = (mode, Instant::now());
        }
    }

    /// Grants what can be granted: conversions first, then requests, each in order.
    pub(crate) fn advance(&mut self) {
        while let Some(claim) = self.converters.front().copied() {
            if !self.admits(claim) {
                return;
            }
            self.converters.pop_front();
            self.set_mode(claim.session, claim.mode);
        }
        while let Some(claim) = self.waiters.front().copied() {
            if !self.admits(claim) {
                return;
            }
            self.waiters.pop_front();
            self.holders.push(Claim { since: Instant::now(), ..claim });
        }
    }

    /// The sessions that `session` waits for: incompatible holders and everyone ahead of it.
    pub(crate) fn blockers(&self, session: SessionId) -> Vec<SessionId> {
        let Some(claim) = self.awaited_by(session) else {
            return Vec::new();
        };
        let holders = self.holders.iter().filter(|held| !held.mode.admits(claim.mode));
        let queue = self.converters.iter().chain(&self.waiters);
        let ahead = queue.take_while(|waiter| waiter.session != session);
        let sessions = holders.chain(ahead).map(|claim| claim.session);
        sessions.filter(|other| *other != session).collect()
    }
}
