//! What goes wrong.

use super::happening::Happening;
use super::world::{Link, World};
use crate::model::Event;
use std::time::Duration;

impl World {
    pub(super) fn drawn(&mut self) -> Option<Link> {
        let count = self.server.sessions.len();
        let place = self.rng.usize(..count.max(1));
        self.server.sessions.keys().nth(place).copied()
    }

    /// A session is killed; its client hears of it.
    pub(super) fn kill(&mut self) {
        if let Some(link) = self.drawn() {
            let granted = self.server.end(link);
            self.granted_by_server(granted);
            let (process, session) = link;
            if !self.processes[process].cut.contains(&session) {
                self.processes[process].sessions.remove(&session);
                let event = Event::Ended { session, error: Some("killed".to_owned()) };
                self.after(self.plan.round_trip / 2, Happening::Answered(link, event));
            }
        }
        let every = self.plan.kills.unwrap_or_default();
        self.after(every, Happening::Kill);
    }

    /// Nothing goes through any more, in either direction, and nobody is told.
    pub(super) fn cut(&mut self) {
        if let Some((process, session)) = self.drawn() {
            self.processes[process].cut.insert(session);
        }
        let every = self.plan.cuts.unwrap_or_default();
        self.after(every, Happening::Cut);
    }

    /// A process stands still, and all that it would have done comes at once.
    pub(super) fn stall(&mut self) {
        let (every, longest) = self.plan.stalls.unwrap_or_default();
        let process = self.rng.usize(..self.processes.len());
        self.processes[process].stands_until = self.now + longest.mul_f64(self.rng.f64());
        self.after(every, Happening::Stall);
    }

    /// Until when the process stands still that this happens in.
    pub(super) fn stands_until(&self, happening: &Happening) -> Option<Duration> {
        let process = happening.process(|task| self.tasks[task].process)?;
        let until = self.processes[process].stands_until;
        (until > self.now).then_some(until)
    }

    /// Whether a process may rely on a session still.
    pub(super) fn is_trusted(&self, (process, session): Link) -> bool {
        let answered = self.processes[process].answered.get(&session);
        answered.is_none_or(|at| self.now < *at + self.plan.settings.trust())
    }

    /// The server ends sessions that were silent for the lease.
    pub(super) fn look(&mut self) {
        let (now, lease) = (self.now, self.plan.settings.lease);
        let silent = self.server.sessions.iter().filter(|(_, said)| now >= **said + lease);
        for link in Vec::from_iter(silent.map(|(link, _)| *link)) {
            if !self.server.is_waiting(link) {
                let granted = self.server.end(link);
                self.granted_by_server(granted);
            }
        }
        self.after(Duration::from_millis(10), Happening::Look);
    }
}
