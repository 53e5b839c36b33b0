//! What callers tell the engine.

use crate::driver::Driver;
use crate::engine::Engine;
use crate::input::{Asking, Converting, Input};
use crate::model::{Asked, Event, Moment, Patience, RequestId};
use std::sync::Arc;
use tokio::sync::oneshot;
use tokio::task::spawn_local;
use tracing::warn;

impl<D: Driver> Engine<D> {
    pub(crate) fn told(&mut self, now: Moment, input: Input<D>) {
        match input {
            Input::Ask(asking) => self.ask(now, asking),
            Input::AskAll(all) => all.into_iter().for_each(|asking| self.ask(now, asking)),
            Input::Drop(request) => self.drop_request(now, request),
            Input::Release(request, answer) => {
                self.releases.insert(request, answer);
                self.holds.remove(&request);
                self.model.handle(now, Event::Released(request));
            }
            Input::Convert(converting) => self.convert(now, converting),
            Input::Run(errand) => {
                spawn_local(errand(Arc::clone(&self.driver), self.options.clone()));
            }
            // Who has gone away needs no names, nor figures.
            Input::Names(keys, answer) => drop(answer.send(self.model.names(keys))),
            Input::Stats(answer) => drop(answer.send(self.model.stats())),
            Input::Open(answer) => {
                self.openers.push(answer);
                self.model.handle(now, Event::Needed);
            }
            Input::Close(answer) => self.close(now, answer),
        }
    }

    fn close(&mut self, now: Moment, answer: oneshot::Sender<()>) {
        self.closers.push(answer);
        self.model.handle(now, Event::Closed);
    }

    fn ask(&mut self, now: Moment, asking: Asking<D>) {
        let asked = asking.asked.clone();
        if asking.task.is_some() && asked.patience != Patience::No {
            self.warn_of_itself(&asking);
        }
        self.requests.insert(asked.request, asking);
        self.model.handle(now, Event::Asked(asked));
    }

    /// A task that waits for what it holds waits for itself.
    fn warn_of_itself(&self, asking: &Asking<D>) {
        let Asked { key, mode, .. } = &asking.asked;
        let mut holders = self.model.holders_against(key, *mode);
        let is_itself =
            |holder| self.holds.get(holder).is_some_and(|hold| hold.task == asking.task);
        if holders.any(is_itself) {
            warn!(db.system.name = D::SYSTEM, %key, "a task waits for a key that it holds itself");
        }
    }

    fn drop_request(&mut self, now: Moment, request: RequestId) {
        self.requests.remove(&request);
        self.holds.remove(&request);
        self.conversions.remove(&request);
        self.model.handle(now, Event::Dropped(request));
    }

    fn convert(&mut self, now: Moment, converting: Converting<D>) {
        let Converting { request, to, patience, answer } = converting;
        self.conversions.insert(request, answer);
        self.model.handle(now, Event::Converting { request, to, patience });
    }
}
