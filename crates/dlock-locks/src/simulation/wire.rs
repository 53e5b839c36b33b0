//! What goes over the wire, and what the server makes of it.

use super::happening::{Happening, Message};
use super::world::{Link, World};
use crate::Mode;
use crate::model::{Action, Answer, Ask, Event, SessionId};
use std::time::Duration;

impl World {
    pub(super) fn send(&mut self, process: usize, session: SessionId, message: Message) {
        self.figures.statements += 1;
        if !self.processes[process].cut.contains(&session) {
            self.after(self.plan.round_trip / 2, Happening::Arrives((process, session), message));
        }
    }

    pub(super) fn perform(&mut self, process: usize, action: Action<u32, String>) {
        match action {
            Action::Open(session) => {
                let it = &mut self.processes[process];
                it.sessions.insert(session);
                self.figures.sessions = self.figures.sessions.max(it.sessions.len());
                self.send(process, session, Message::Open);
            }
            Action::Batch { session, asks } => self.send(process, session, Message::Batch(asks)),
            Action::Wait { session, key, mode, limit } => {
                self.send(process, session, Message::Wait(key, mode, limit));
            }
            Action::Ping(session) => self.send(process, session, Message::Ping),
            Action::End { session, .. } => self.end(process, session),
            Action::Convert { session, key, to, .. } => {
                self.send(process, session, Message::Convert(key, to));
            }
            Action::Raise { session, key, .. } => self.send(process, session, Message::Raise(key)),
            Action::Converted { request, answer } => {
                self.converted(process, request, answer == Ok(true));
            }
            Action::Grant { request, session, token } => {
                self.granted(process, request, session, token);
            }
            Action::Refuse { request, refusal } => self.refused(process, request, &refusal),
            Action::Trust { session, sent } => {
                self.processes[process].answered.insert(session, sent);
            }
            Action::Done { .. } => {}
            Action::Lose { request, .. } => {
                self.figures.lost += 1;
                self.processes[process].holds.remove(&request);
            }
            Action::Closed => self.processes[process].is_closed = true,
        }
    }

    pub(super) fn end(&mut self, process: usize, session: SessionId) {
        let link = (process, session);
        self.processes[process].sessions.remove(&session);
        self.send(process, session, Message::End);
        let ended = Event::Ended { session, error: None };
        self.after(self.plan.round_trip, Happening::Answered(link, ended));
    }

    pub(super) fn arrives(&mut self, link: Link, message: Message) {
        let (process, session) = link;
        if let Message::Open = message {
            return self.open(link);
        }
        if !self.server.sessions.contains_key(&link) {
            return;
        }
        self.server.sessions.insert(link, self.now);
        match message {
            Message::Open => {}
            Message::Batch(asks) => self.batch(link, &asks),
            Message::Wait(key, mode, limit) => self.wait(link, key, mode, limit),
            Message::Convert(key, to) => {
                let is_done = self.server.convert(link, key, to);
                self.answer(link, Answer::Convert(Ok(is_done)));
            }
            Message::Raise(key) => self.raise(link, key),
            Message::Ping => self.answer(link, Answer::Pong),
            Message::End => {
                let granted = self.server.end((process, session));
                self.granted_by_server(granted);
            }
        }
    }

    pub(super) fn open(&mut self, link: Link) {
        let session = link.1;
        let event = if self.server.sessions.len() < self.plan.max_connections {
            self.server.sessions.insert(link, self.now);
            Event::Opened { session, server: "one".to_owned() }
        } else {
            self.processes[link.0].sessions.remove(&session);
            Event::Ended { session, error: Some("too many connections".to_owned()) }
        };
        self.after(self.plan.round_trip / 2, Happening::Answered(link, event));
    }

    pub(super) fn batch(&mut self, link: Link, asks: &[Ask<u32>]) {
        let fails = self.plan.interrupts.is_some_and(|one_in| self.rng.u32(..one_in) == 0);
        let asks = if fails { &asks[..asks.len() / 2] } else { asks };
        let (truths, granted) = self.server.batch(link, asks);
        let answer = if fails { Err("interrupted".to_owned()) } else { Ok(truths) };
        self.answer(link, Answer::Batch(answer));
        self.granted_by_server(granted);
    }

    pub(super) fn wait(&mut self, link: Link, key: u32, mode: Mode, limit: Duration) {
        if self.server.wait(link, key, mode) {
            return self.answer(link, Answer::Wait(Ok(true)));
        }
        self.number += 1;
        self.waits.insert(link, self.number);
        self.after(limit, Happening::Limit(link, key, self.number));
    }

    pub(super) fn limit(&mut self, link: Link, key: u32, number: u64) {
        if self.waits.get(&link) == Some(&number)
            && let Some(granted) = self.server.leave(link, key)
        {
            self.answer(link, Answer::Wait(Ok(false)));
            self.granted_by_server(granted);
        }
    }

    pub(super) fn granted_by_server(&mut self, links: Vec<Link>) {
        for link in links {
            self.server.sessions.insert(link, self.now);
            self.answer(link, Answer::Wait(Ok(true)));
        }
    }

    pub(super) fn answer(&mut self, link: Link, answer: Answer<String>) {
        let (process, session) = link;
        if !self.processes[process].cut.contains(&session) {
            let event = Event::Answered { session, answer };
            self.after(self.plan.round_trip / 2, Happening::Answered(link, event));
        }
    }

    /// Fenced transactions of an earlier holder are in the way of one in four.
    pub(super) fn raise(&mut self, link: Link, key: u32) {
        let is_late = self.rng.u8(..4) == 0;
        let token = (!is_late).then(|| self.server.raise(link, key));
        self.answer(link, Answer::Raise(Ok(token)));
    }
}
