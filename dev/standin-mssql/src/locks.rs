//! The table of application locks: who holds what, and who waits for it in which order.

use std::collections::{BTreeMap, VecDeque};
use std::time::Instant;

use tokio::sync::oneshot;

use crate::mode::Mode;

/// What a lock is identified by: a database, a principal and a name, compared as they are.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Resource {
    pub(crate) database: &'static str,
    pub(crate) principal: &'static str,
    pub(crate) name: Vec<u16>,
}

/// What a lock ends with: the session, or its transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    Session,
    Transaction,
}

/// On whose behalf a lock is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Owner {
    pub(crate) session: u16,
    pub(crate) scope: Scope,
}

/// How a wait ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Granted,
    Deadlocked,
}

/// What a request got at once.
#[derive(Debug)]
pub(crate) enum Reply {
    Granted,
    Queued(u64, oneshot::Receiver<Verdict>),
}

#[derive(Debug)]
pub(crate) struct Grant {
    pub(crate) owner: Owner,
    pub(crate) mode: Mode,
    pub(crate) count: u32,
    /// The ticket of the request that was granted first.
    first: u64,
}

#[derive(Debug)]
pub(crate) struct Waiting {
    pub(crate) ticket: u64,
    pub(crate) owner: Owner,
    pub(crate) mode: Mode,
    pub(crate) converts: bool,
    pub(crate) since: Instant,
    verdict: oneshot::Sender<Verdict>,
}

/// One resource's holders and its queue, conversions first.
#[derive(Debug, Default)]
pub(crate) struct Entry {
    pub(crate) granted: Vec<Grant>,
    pub(crate) queue: VecDeque<Waiting>,
}

impl Entry {
    fn held_by(&self, owner: Owner) -> Option<Mode> {
        let grant = self.granted.iter().find(|grant| grant.owner == owner)?;
        Some(grant.mode)
    }

    /// Whether nobody who holds, and nobody ahead in the queue, is in the way.
    fn clear_for(&self, owner: Owner, mode: Mode, converts: bool, ahead: usize) -> bool {
        let free =
            |other: Owner, theirs: Mode| other.session == owner.session || theirs.goes_with(mode);
        let queue_clear = converts
            || self.queue.iter().take(ahead).all(|waiting| free(waiting.owner, waiting.mode));
        queue_clear && self.granted.iter().all(|grant| free(grant.owner, grant.mode))
    }

    fn grant(&mut self, owner: Owner, mode: Mode, ticket: u64) {
        match self.granted.iter_mut().find(|grant| grant.owner == owner) {
            Some(grant) => {
                grant.mode = grant.mode.plus(mode);
                grant.count += 1;
            }
            None => self.granted.push(Grant { owner, mode, count: 1, first: ticket }),
        }
    }

    /// Behind the conversions when it is one, at the tail otherwise.
    fn enqueue(&mut self, waiting: Waiting) {
        let place = if waiting.converts {
            self.queue.iter().take_while(|ahead| ahead.converts).count()
        } else {
            self.queue.len()
        };
        self.queue.insert(place, waiting);
    }

    /// Grants whatever can be granted now, in order.
    fn serve(&mut self) {
        let mut place = 0;
        while let Some(next) = self.queue.get(place) {
            let (owner, mode, converts) = (next.owner, next.mode, next.converts);
            let ticket = next.ticket;
            if !self.clear_for(owner, mode, converts, place) {
                place += 1;
                continue;
            }
            let next = self.queue.remove(place).expect("just seen");
            // Nobody listening means that the session is gone: then nothing is granted.
            if next.verdict.send(Verdict::Granted).is_ok() {
                self.grant(owner, mode, ticket);
            }
        }
    }
}

/// Every application lock of the server.
#[derive(Debug, Default)]
pub(crate) struct LockTable {
    pub(crate) entries: BTreeMap<Resource, Entry>,
    tickets: u64,
}

impl LockTable {
    /// Grants the lock, or puts the request into the queue.
    pub(crate) fn request(&mut self, resource: &Resource, owner: Owner, mode: Mode) -> Reply {
        self.tickets += 1;
        let ticket = self.tickets;
        let entry = self.entries.entry(resource.clone()).or_default();
        let held = entry.held_by(owner);
        let wanted = held.map_or(mode, |held| held.plus(mode));
        let converts = held.is_some();
        if held == Some(wanted) || entry.clear_for(owner, wanted, converts, entry.queue.len()) {
            entry.grant(owner, mode, ticket);
            return Reply::Granted;
        }
        let (verdict, answer) = oneshot::channel();
        entry.enqueue(Waiting {
            ticket,
            owner,
            mode: wanted,
            converts,
            since: Instant::now(),
            verdict,
        });
        Reply::Queued(ticket, answer)
    }

    /// Whether the request would be granted at once.
    pub(crate) fn test(&self, resource: &Resource, owner: Owner, mode: Mode) -> bool {
        let Some(entry) = self.entries.get(resource) else {
            return true;
        };
        let held = entry.held_by(owner);
        let wanted = held.map_or(mode, |held| held.plus(mode));
        held == Some(wanted) || entry.clear_for(owner, wanted, held.is_some(), entry.queue.len())
    }

    /// What this owner holds.
    pub(crate) fn mode(&self, resource: &Resource, owner: Owner) -> Option<Mode> {
        self.entries.get(resource)?.held_by(owner)
    }

    /// Gives back one of the owner's grants; `false` when it has none.
    pub(crate) fn release(&mut self, resource: &Resource, owner: Owner) -> bool {
        let Some(entry) = self.entries.get_mut(resource) else {
            return false;
        };
        let Some(place) = entry.granted.iter().position(|grant| grant.owner == owner) else {
            return false;
        };
        entry.granted[place].count -= 1;
        if entry.granted[place].count == 0 {
            entry.granted.remove(place);
        }
        self.tidy(resource);
        true
    }

    /// Takes a request out of the queue; `false` when it is no longer there.
    pub(crate) fn cancel(&mut self, resource: &Resource, ticket: u64) -> bool {
        self.remove(resource, ticket).is_some()
    }

    /// Tells a waiter that it was chosen as the victim.
    pub(crate) fn sacrifice(&mut self, resource: &Resource, ticket: u64) {
        if let Some(victim) = self.remove(resource, ticket) {
            // A victim that has gone already needs no telling.
            let _ = victim.verdict.send(Verdict::Deadlocked);
        }
    }

    /// Frees all that ends with this transaction, or with the session as a whole.
    pub(crate) fn end(&mut self, session: u16, scope: Scope) {
        let ends = |owner: Owner| {
            owner.session == session && (scope == Scope::Session || owner.scope == scope)
        };
        for entry in self.entries.values_mut() {
            entry.granted.retain(|grant| !ends(grant.owner));
            entry.queue.retain(|waiting| !ends(waiting.owner));
            entry.serve();
        }
        self.entries.retain(|_, entry| !entry.granted.is_empty() || !entry.queue.is_empty());
    }

    /// The ticket of the latest request: what is granted to a later one is younger.
    pub(crate) fn latest(&self) -> u64 {
        self.tickets
    }

    /// Frees what the session's transaction was granted since: what it held before then it keeps, in
    /// the mode that it has now.
    pub(crate) fn roll_back(&mut self, session: u16, since: u64) {
        let owner = Owner { session, scope: Scope::Transaction };
        for entry in self.entries.values_mut() {
            entry.granted.retain(|grant| grant.owner != owner || grant.first <= since);
            entry.serve();
        }
        self.entries.retain(|_, entry| !entry.granted.is_empty() || !entry.queue.is_empty());
    }

    /// Whether the session waits for a lock.
    pub(crate) fn awaits(&self, session: u16) -> bool {
        let mut queued = self.entries.values().flat_map(|entry| &entry.queue);
        queued.any(|waiting| waiting.owner.session == session)
    }

    fn remove(&mut self, resource: &Resource, ticket: u64) -> Option<Waiting> {
        let entry = self.entries.get_mut(resource)?;
        let place = entry.queue.iter().position(|one| one.ticket == ticket)?;
        let removed = entry.queue.remove(place);
        self.tidy(resource);
        removed
    }

    fn tidy(&mut self, resource: &Resource) {
        if let Some(entry) = self.entries.get_mut(resource) {
            entry.serve();
            if entry.granted.is_empty() && entry.queue.is_empty() {
                self.entries.remove(resource);
            }
        }
    }
}

#[cfg(test)]
#[path = "locks_tests.rs"]
mod tests;
