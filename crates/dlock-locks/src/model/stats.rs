use super::request::Request;
use super::{Model, RequestId};
use std::hash::Hash;
use std::time::Duration;

/// What a factory of locks does at a moment, and what it has done.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct Stats {
    /// Sessions that are open or being opened.
    pub sessions: usize,
    /// Sessions that wait in the server's queue.
    pub sessions_waiting: usize,
    /// Holds that are out.
    pub held: usize,
    /// Requests that wait.
    pub waiting: usize,
    /// Keys that are held or wanted.
    pub keys: usize,
    /// Keys that want a session to wait on.
    pub parked: usize,
    /// Statements of many parts that were sent.
    pub batches: u64,
    /// Holds that were given out.
    pub granted: u64,
    /// Those of them that did not cost a round trip.
    pub handed_over: u64,
    /// Holds that were lost.
    pub losses: u64,
    /// How long ago the statement was sent that the quietest session last answered.
    pub oldest_answer: Duration,
}

/// What only grows.
#[derive(Clone, Debug, Default)]
pub(crate) struct Counts {
    pub(crate) batches: u64,
    pub(crate) granted: u64,
    pub(crate) handed_over: u64,
    pub(crate) losses: u64,
}

impl Counts {
    pub(crate) fn given(&mut self, is_local: bool) {
        self.granted += 1;
        self.handed_over += u64::from(is_local);
    }
}

impl<K: Clone + Eq + Hash, E: Clone> Model<K, E> {
    pub(crate) fn stats(&self) -> Stats {
        let is_held =
            |(id, it): &(&RequestId, &Request)| it.has_it && !self.turnstiles.contains_key(id);
        let held = self.requests.iter().filter(is_held).count();
        let open = self.sessions.values().filter(|session| session.is_open());
        let silences = open.map(|session| self.now.saturating_sub(session.answered));
        Stats {
            sessions: self.sessions.len(),
            sessions_waiting: self.sessions.values().filter(|it| it.is_waiting()).count(),
            held,
            waiting: self.requests.len() - held - self.turnstiles.len(),
            keys: self.keys.len(),
            parked: self.parked.len(),
            batches: self.counts.batches,
            granted: self.counts.granted,
            handed_over: self.counts.handed_over,
            losses: self.counts.losses,
            oldest_answer: silences.max().unwrap_or_default(),
        }
    }
}
