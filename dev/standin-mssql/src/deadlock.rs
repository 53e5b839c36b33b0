//! The lock monitor: it looks for waits that go round in a circle and picks a victim.

use std::collections::BTreeMap;

use crate::locks::{Entry, LockTable, Resource};

/// One wait, and the sessions that it waits for.
#[derive(Debug)]
struct Edge {
    resource: Resource,
    ticket: u64,
    blockers: Vec<u16>,
}

impl LockTable {
    /// Sacrifices waits until none goes round in a circle.
    pub(crate) fn break_circles(&mut self) {
        while let Some((resource, ticket)) = self.victim() {
            self.sacrifice(&resource, ticket);
        }
    }

    /// The sessions in the way of a session that waits.
    pub(crate) fn blockers(&self, session: u16) -> Vec<u16> {
        self.edges().remove(&session).map_or(Vec::new(), |edge| edge.blockers)
    }

    fn edges(&self) -> BTreeMap<u16, Edge> {
        let mut edges = BTreeMap::new();
        for (resource, entry) in &self.entries {
            for (place, waiting) in entry.queue.iter().enumerate() {
                let edge = Edge {
                    resource: resource.clone(),
                    ticket: waiting.ticket,
                    blockers: in_the_way(entry, place),
                };
                edges.insert(waiting.owner.session, edge);
            }
        }
        edges
    }

    /// The longest wait of a circle, if there is a circle.
    fn victim(&self) -> Option<(Resource, u64)> {
        let edges = self.edges();
        edges
            .iter()
            .filter(|(session, _)| returns(&edges, **session))
            .min_by_key(|(_, edge)| edge.ticket)
            .map(|(_, edge)| (edge.resource.clone(), edge.ticket))
    }
}

/// The other sessions that hold, or wait ahead for, what does not go with this wait.
fn in_the_way(entry: &Entry, place: usize) -> Vec<u16> {
    let waiting = &entry.queue[place];
    let ahead = if waiting.converts { 0 } else { place };
    let holders = entry.granted.iter().map(|grant| (grant.owner, grant.mode));
    let queued = entry.queue.iter().take(ahead).map(|one| (one.owner, one.mode));
    holders
        .chain(queued)
        .filter(|(owner, mode)| {
            owner.session != waiting.owner.session && !mode.goes_with(waiting.mode)
        })
        .map(|(owner, _)| owner.session)
        .collect()
}

/// Whether following the waits from this session leads back to it.
fn returns(edges: &BTreeMap<u16, Edge>, start: u16) -> bool {
    let mut seen = Vec::new();
    let mut next = vec![start];
    while let Some(session) = next.pop() {
        for &blocker in edges.get(&session).map_or(&[][..], |edge| &edge.blockers) {
            if blocker == start {
                return true;
            }
            if !seen.contains(&blocker) {
                seen.push(blocker);
                next.push(blocker);
            }
        }
    }
    false
}
