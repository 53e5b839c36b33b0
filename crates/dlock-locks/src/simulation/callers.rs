//! What tasks do.

use super::happening::Happening;
use super::world::World;
use crate::Mode;
use crate::model::{Asked, Event, Need, Patience, Refusal, RequestId, SessionId};
use std::collections::VecDeque;
use std::time::Duration;

impl World {
    pub(super) fn ask(&mut self, index: usize) {
        let (now, limit) = (self.now, self.plan.limit);
        let task = &mut self.tasks[index];
        if task.left == 0 || now > limit {
            self.busy -= 1;
            return;
        }
        task.left -= 1;
        task.asked = now;
        task.key = self.rng.u32(..task.work.keys);
        let (process, key, mode) = (task.process, task.key, task.work.mode);
        let need = task.work.need;
        let patience = match task.work.patience {
            _ if task.work.tries => Patience::No,
            Some(patience) => Patience::Until(now + patience),
            None => Patience::Forever,
        };
        let drops = task.work.drops.filter(|(one_in, _)| self.rng.u32(..*one_in) == 0);
        let request = self.processes[process].request(index);
        if let Some((_, longest)) = drops {
            let delay = longest.mul_f64(self.rng.f64());
            self.after(delay, Happening::GiveUp(index, request));
        }
        self.queues.entry((process, key)).or_default().push_back(request);
        self.tell(process, Event::Asked(Asked { request, key, mode, patience, need }));
    }

    pub(super) fn granted(
        &mut self,
        process: usize,
        request: RequestId,
        session: SessionId,
        token: Option<u64>,
    ) {
        let index = self.processes[process].tasks[&request];
        let task = &self.tasks[index];
        let (waited, kind) = (self.now - task.asked, task.kind);
        let link = (process, session);
        let (key, mode) = (task.key, task.work.mode);
        self.processes[process].holds.insert(request, (session, mode));
        assert!(self.is_trusted(link), "lost at birth: {link:?} {key} {request:?}");
        if self.plan.kills.is_none() {
            assert!(self.server.holds(link, key, mode), "{link:?} {key} {mode:?} {request:?}");
        }
        assert_eq!(token.is_some(), task.work.need == Need::Fence);
        if let Some(token) = token {
            let last = self.tokens.insert(key, token);
            assert!(last.is_none_or(|last| last < token), "{last:?} before {token}");
        }
        let others = self.processes[process].holds.keys().filter(|other| **other != request);
        let tasks = others.filter_map(|other| self.processes[process].tasks.get(other));
        for other in tasks.map(|other| &self.tasks[*other]).filter(|other| other.key == key) {
            let both_share = mode == other.work.mode && mode.is_compatible_with_itself();
            assert!(
                both_share && task.work.need == Need::Nothing,
                "{key} is held beside {other:?}"
            );
        }
        let first = self.queues.get_mut(&(process, task.key)).and_then(VecDeque::pop_front);
        assert_eq!(first, Some(request), "first in, first out");
        let hold = task.work.holds[self.rng.usize(..task.work.holds.len())];
        self.figures.waits.push(waited);
        self.figures.served[kind] += 1;
        self.after(hold, Happening::Finish(index, request));
        if mode == Mode::Update {
            self.after(hold / 2, Happening::Upgrade(index, request));
        }
    }

    pub(super) fn refused(
        &mut self,
        process: usize,
        request: RequestId,
        refusal: &Refusal<String>,
    ) {
        match refusal {
            Refusal::TimedOut => self.figures.timed_out += 1,
            _ => self.figures.refused += 1,
        }
        if let Some(index) = self.processes[process].tasks.remove(&request) {
            self.leave(index, request);
            self.rest(index);
        }
    }

    pub(super) fn leave(&mut self, index: usize, request: RequestId) {
        let task = &self.tasks[index];
        if let Some(queue) = self.queues.get_mut(&(task.process, task.key)) {
            queue.retain(|other| *other != request);
        }
    }

    pub(super) fn rest(&mut self, index: usize) {
        let rest = self.tasks[index].work.rest;
        // A task that was refused does not ask again within the same instant.
        self.after(rest + Duration::from_micros(1), Happening::Begin(index));
    }

    pub(super) fn finish(&mut self, index: usize, request: RequestId) {
        let process = self.tasks[index].process;
        if self.processes[process].tasks.remove(&request).is_none() {
            return;
        }
        self.processes[process].holds.remove(&request);
        let by_hand = self.rng.bool();
        let event = if by_hand { Event::Released(request) } else { Event::Dropped(request) };
        self.tell(process, event);
        self.rest(index);
    }

    pub(super) fn give_up(&mut self, index: usize, request: RequestId) {
        let process = self.tasks[index].process;
        if self.processes[process].tasks.remove(&request).is_none() {
            return;
        }
        self.processes[process].holds.remove(&request);
        self.leave(index, request);
        self.tell(process, Event::Dropped(request));
        self.rest(index);
    }

    pub(super) fn upgrade(&mut self, index: usize, request: RequestId) {
        let process = self.tasks[index].process;
        if self.processes[process].holds.contains_key(&request) {
            let patience = Patience::Until(self.now + Duration::from_millis(50));
            let to = Mode::Exclusive;
            self.tell(process, Event::Converting { request, to, patience });
        }
    }

    pub(super) fn converted(&mut self, process: usize, request: RequestId, is_done: bool) {
        self.figures.upgraded += usize::from(is_done);
        let hold = self.processes[process].holds.get_mut(&request);
        if let Some((_, mode)) = hold.filter(|_| is_done) {
            *mode = Mode::Exclusive;
        }
    }
}
