use super::registry::KeyId;
use super::{Action, Asked, Event, Model, Moment, Need, Patience, Refusal, RequestId};
use crate::{LostReason, Mode};
use std::hash::Hash;

/// Somebody who wants a key, or has it.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) key: KeyId,
    pub(crate) mode: Mode,
    pub(crate) patience: Patience,
    pub(crate) since: Moment,
    pub(crate) has_it: bool,
    pub(crate) need: Need,
    /// What the hold is to become, and how long that may take.
    pub(crate) conversion: Option<(Mode, Patience)>,
}

impl<K: Clone + Eq + Hash, E: Clone> Model<K, E> {
    pub(super) fn asked(&mut self, asked: Asked<K>) {
        let Asked { request, key, mode, patience, need } = asked;
        if self.is_closed {
            return self.tell_refusal(request, Refusal::Closed);
        }
        let key = match self.keys.find(&key) {
            Some(key) => key,
            None if self.keys.len() >= self.settings.max_keys => {
                return self.tell_refusal(request, Refusal::TooManyKeys);
            }
            None => self.keys.insert(key),
        };
        // Somebody is in front who could not have it either.
        let entry = &self.keys[key];
        if patience == Patience::No && entry.is_taken() && entry.is_wanted() {
            return self.tell_refusal(request, Refusal::TimedOut);
        }
        let (since, has_it, conversion) = (self.now, false, None);
        self.join(request, Request { key, mode, patience, since, has_it, need, conversion });
        self.serve(key);
    }

    fn join(&mut self, id: RequestId, request: Request) {
        if let Patience::Until(end) = request.patience {
            self.deadlines.insert((end, id));
        }
        let entry = &mut self.keys[request.key];
        entry.waiting.push_back(id);
        entry.tries += usize::from(request.patience == Patience::No);
        self.requests.insert(id, request);
    }

    /// Who wants the key next.
    pub(super) fn head(&mut self, key: KeyId) -> Option<(RequestId, Mode)> {
        loop {
            let first = *self.keys[key].waiting.front()?;
            match self.requests.get(&first) {
                Some(request) if !request.has_it => return Some((first, request.mode)),
                _ => {
                    let entry = &mut self.keys[key];
                    entry.waiting.pop_front();
                    entry.given_up -= 1;
                }
            }
        }
    }

    /// Nobody awaits it any more: its place in the queue goes, or what it holds.
    pub(super) fn drop_request(&mut self, id: RequestId) {
        match self.requests.get(&id) {
            Some(request) if request.has_it => self.give_back(id, false),
            Some(_) => {
                let key = self.leave(id);
                self.serve(key);
            }
            None => {}
        }
    }

    /// A hold is given back by a call that wants to be told.
    pub(super) fn release(&mut self, id: RequestId) {
        match self.requests.contains_key(&id) {
            true => self.give_back(id, true),
            false => {
                let released = Err(LostReason::SessionEnded);
                self.actions.push(Action::Done { request: id, released });
            }
        }
    }

    /// A waiting request will not have its key.
    pub(super) fn refuse(&mut self, id: RequestId, refusal: Refusal<E>) {
        self.leave(id);
        self.tell_refusal(id, refusal);
    }

    pub(super) fn tell_refusal(&mut self, request: RequestId, refusal: Refusal<E>) {
        match self.turnstiles.remove(&request) {
            Some(key) => self.turnstile_refused(key),
            None => self.actions.push(Action::Refuse { request, refusal }),
        }
    }

    /// A waiting request leaves the queue.
    fn leave(&mut self, id: RequestId) -> KeyId {
        let request = self.forget(id);
        let entry = &mut self.keys[request.key];
        entry.given_up += 1;
        entry.tries -= usize::from(request.patience == Patience::No);
        self.sweep(request.key);
        request.key
    }

    /// Where most have given up, the queue is made anew.
    fn sweep(&mut self, key: KeyId) {
        let entry = &mut self.keys[key];
        if entry.given_up > 32 && entry.given_up > entry.waiting.len() / 2 {
            entry.waiting.retain(|id| self.requests.contains_key(id));
            entry.given_up = 0;
        }
    }

    pub(super) fn forget(&mut self, id: RequestId) -> Request {
        let request = self.requests.remove(&id).expect("a request that is known");
        if let Patience::Until(end) = request.patience {
            self.deadlines.remove(&(end, id));
        }
        request
    }

    /// Those who wait for a key, in the order they came.
    pub(super) fn waiting(&self, key: KeyId) -> Vec<RequestId> {
        let ids = self.keys[key].waiting.iter().copied();
        ids.filter(|id| self.requests.get(id).is_some_and(|request| !request.has_it)).collect()
    }
}

impl<K, E> From<Asked<K>> for Event<K, E> {
    fn from(asked: Asked<K>) -> Self {
        Event::Asked(asked)
    }
}
