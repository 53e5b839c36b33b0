use super::entry::{Place, Stay};
use super::registry::KeyId;
use super::request::Request;
use super::session::Role;
use super::{Action, Model, Moment, Need, Patience, Refusal, RequestId, SessionId};
use crate::Mode;
use std::hash::Hash;

impl<K: Clone + Eq + Hash, E: Clone> Model<K, E> {
    /// Goes on with a key as far as it goes without a word from the server.
    pub(super) fn serve(&mut self, key: KeyId) {
        self.hand_over(key);
        let wanted = self.keys[key].is_wanted();
        match &self.keys[key].place {
            Place::Held(stay) if stay.holders.is_empty() && !stay.is_late => {
                self.let_go(key, None);
            }
            Place::Free | Place::Parked if !wanted => self.forget_key(key),
            Place::Free => self.ask(key),
            _ => {}
        }
        self.watch_turnstile(key);
        self.refuse_tries(key);
    }

    /// The server has granted the key, by the answer to what was sent then.
    pub(super) fn granted(&mut self, key: KeyId, session: SessionId, mode: Mode, sent: Moment) {
        self.unpark(key);
        self.keys[key].interrupted = 0;
        self.keys[key].is_refused = false;
        let is_late = self.now - sent > self.settings.ping();
        let stay =
            Stay { session, mode, since: self.now, holders: Vec::new(), is_new: true, is_late };
        self.set_place(key, Place::Held(stay));
        if is_late {
            self.owe_a_ping(session);
        }
        self.serve(key);
    }

    /// Gives the key to those at the head of its queue who may have it.
    fn hand_over(&mut self, key: KeyId) {
        while let Some((head, mode)) = self.head(key)
            && self.may_have(key, mode)
        {
            self.give(key, head);
        }
    }

    fn may_have(&mut self, key: KeyId, mode: Mode) -> bool {
        let Some(stay) = self.keys[key].stay() else { return false };
        let fits = mode == stay.mode && self.may_share(key, stay);
        let fresh = stay.is_new || self.now - stay.since < self.settings.stay;
        let joins = fits && !stay.holders.is_empty();
        if joins && !fresh {
            self.late.insert(key);
            self.probe(key);
        }
        fits && fresh && self.may_rely_on(key)
    }

    /// Whether who is given the hold has it. One whose session has been silent for too long is lost, as soon
    /// as that is seen to; who waits for the key asks for it anew then.
    fn may_rely_on(&self, key: KeyId) -> bool {
        let Some(stay) = self.keys[key].stay() else { return false };
        !stay.is_late && self.overdue(stay.session).is_none_or(|end| self.now < end)
    }

    /// Whether the head may use the hold's session, beside those who hold it already.
    fn may_share(&self, key: KeyId, stay: &Stay) -> bool {
        let need = |id: &RequestId| self.requests.get(id).map_or(Need::Nothing, |it| it.need);
        let head = self.keys[key].waiting.front().map_or(Need::Nothing, need);
        let is_own = self.sessions.get(&stay.session).is_some_and(|it| it.role == Role::Waiting);
        match stay.holders.first() {
            None => head == Need::Nothing || is_own,
            Some(holder) => {
                let needs_nothing = head == Need::Nothing && need(holder) == Need::Nothing;
                needs_nothing && stay.mode.is_compatible_with_itself()
            }
        }
    }

    fn give(&mut self, key: KeyId, request: RequestId) {
        let entry = &mut self.keys[key];
        entry.waiting.pop_front();
        let Some(stay) = entry.stay_mut() else { return };
        let (session, is_local) = (stay.session, !stay.is_new);
        stay.holders.push(request);
        stay.is_new = false;
        let granted = self.requests.get_mut(&request).expect("a request that is known");
        granted.has_it = true;
        entry.tries -= usize::from(granted.patience == Patience::No);
        match granted.need {
            Need::Fence => self.raise(key, request),
            _ => self.grant(request, session, None),
        }
        self.counts.given(is_local);
    }

    /// The caller has the key from now on.
    pub(super) fn grant(&mut self, request: RequestId, session: SessionId, token: Option<u64>) {
        if self.turnstiles.contains_key(&request) {
            return;
        }
        let Some(granted) = self.requests.get(&request) else { return };
        if let Patience::Until(end) = granted.patience {
            self.deadlines.remove(&(end, request));
        }
        self.actions.push(Action::Grant { request, session, token });
    }

    /// Takes a hold back: the next in the process has the key, or it is let go.
    pub(super) fn give_back(&mut self, id: RequestId, tell: bool) {
        let Request { key, conversion, .. } = self.forget(id);
        if let Some(stay) = self.keys[key].stay_mut() {
            stay.holders.retain(|holder| *holder != id);
        }
        // Behind a conversion that is under way nobody knows the mode.
        if conversion.is_none() {
            self.hand_over(key);
        }
        let is_over = self.keys[key].stay().is_none_or(|stay| stay.holders.is_empty());
        match is_over {
            true => self.let_go(key, tell.then_some(id)),
            false if tell => self.actions.push(Action::Done { request: id, released: Ok(()) }),
            false => {}
        }
        self.refuse_tries(key);
    }

    /// Who does not wait is told once it is known that somebody else has the key.
    pub(super) fn refuse_tries(&mut self, key: KeyId) {
        if !self.keys.contains(key) || self.keys[key].tries == 0 || !self.keys[key].is_taken() {
            return;
        }
        if self.late.contains(&key) && self.keys[key].probe.is_some() {
            return;
        }
        for id in self.waiting(key) {
            if self.requests[&id].patience == Patience::No {
                self.refuse(id, Refusal::TimedOut);
            }
        }
        match self.keys[key].is_wanted() {
            true => self.watch_turnstile(key),
            false => self.serve(key),
        }
    }

    /// Nobody wants the key, and nothing is held.
    fn forget_key(&mut self, key: KeyId) {
        self.unpark(key);
        self.leave_turnstile(key);
        self.set_place(key, Place::Free);
        if self.keys[key].probe.is_none() {
            self.keys.remove(key);
        }
    }
}
