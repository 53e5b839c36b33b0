use crate::LostReason;
use crate::drive::{Drive, Job};
use crate::driver::Driver;
use crate::engine::{Engine, Line};
use crate::hold::{Hold, Trust};
use crate::input::{Asking, Refused};
use crate::model::{Action, Ending, Moment, RequestId, SessionId};
use std::sync::Arc;
use tokio::sync::mpsc::unbounded_channel;
use tokio::sync::oneshot;
use tokio::task::spawn_local;
use tracing::warn;

impl<D: Driver> Engine<D> {
    pub(crate) fn perform(&mut self, action: Action<D::Key, Arc<D::Error>>) {
        match action {
            Action::Open(session) => self.open(session),
            Action::Batch { session, asks } => self.post(session, Job::Batch(asks)),
            Action::Wait { session, key, mode, limit } => {
                self.post(session, Job::Wait { key, mode, limit });
            }
            Action::Convert { session, key, from, to, limit } => {
                self.post(session, Job::Convert { key, from, to, limit });
            }
            Action::Raise { session, key, limit } => self.post(session, Job::Raise { key, limit }),
            Action::Ping(session) => self.post(session, Job::Ping),
            Action::End { session, how } => self.end(session, how),
            Action::Trust { session, sent } => self.trust(session, sent),
            Action::Grant { request, session, token } => self.grant(request, session, token),
            Action::Refuse { request, refusal } => self.refuse(request, refusal),
            Action::Done { request, released } => tell(self.releases.remove(&request), released),
            Action::Converted { request, answer } => {
                tell(self.conversions.remove(&request), answer)
            }
            Action::Lose { request, reason } => self.lose(request, reason),
            Action::Closed => self.closed(),
        }
    }

    fn open(&mut self, id: SessionId) {
        let (jobs, queue) = unbounded_channel();
        let trust = Arc::new(Trust::until(Trust::FOREVER));
        let line = Line { jobs, trust, has_lease: false, is_open: false, is_ending: false };
        self.lines.insert(id, line);
        let drive = Drive { id, jobs: queue, heard: self.heard.clone(), error: None };
        spawn_local(drive.run(Arc::clone(&self.driver), self.options.clone()));
    }

    fn end(&mut self, session: SessionId, how: Ending) {
        if how == Ending::AtOnce {
            warn!(
                db.system.name = D::SYSTEM,
                "a session of locks was silent for too long and is given up with what it held"
            );
        }
        if let Some(line) = self.lines.get_mut(&session) {
            line.is_ending = how == Ending::AfterAnswers;
        }
        self.post(session, Job::End(how));
    }

    fn post(&self, session: SessionId, job: Job<D::Key>) {
        if let Some(line) = self.lines.get(&session) {
            // A task that has ended says so.
            let _ = line.jobs.send(job);
        }
    }

    fn trust(&self, session: SessionId, sent: Moment) {
        if let Some(line) = self.lines.get(&session).filter(|line| line.has_lease) {
            line.trust.set(sent + self.trusted);
        }
    }

    fn grant(&mut self, request: RequestId, session: SessionId, token: Option<u64>) {
        let Some(asking) = self.requests.remove(&request) else { return };
        // Of a session that has ended meanwhile the loss comes next.
        let trust = self.lines.get(&session).map(|line| Arc::clone(&line.trust));
        let trust = trust.unwrap_or_else(|| Arc::new(Trust::until(Trust::FOREVER)));
        let Asking { cancel, task, answer, .. } = asking;
        let meter = Arc::clone(&self.meter);
        let hold = Arc::new(Hold::new(trust, self.clock, cancel, token, task, meter));
        self.holds.insert(request, Arc::clone(&hold));
        // Who has gone away says so.
        let _ = answer.send(Ok(hold));
    }

    fn refuse(&mut self, request: RequestId, refusal: Refused<D>) {
        if let Some(asking) = self.requests.remove(&request) {
            let _ = asking.answer.send(Err(refusal));
        }
    }

    fn lose(&mut self, request: RequestId, reason: LostReason) {
        // Who waits for another mode learns from the hold why there is no answer.
        self.conversions.remove(&request);
        if let Some(hold) = self.holds.remove(&request) {
            hold.lose(reason);
        }
    }

    /// All sessions have ended: a thread that is not needed ends, and the others are told.
    fn closed(&mut self) {
        self.is_closed = true;
        for closer in self.closers.drain(..) {
            let _ = closer.send(());
        }
    }
}

/// Who has gone away wants no answer.
fn tell<T>(waiter: Option<oneshot::Sender<T>>, answer: T) {
    if let Some(waiter) = waiter {
        let _ = waiter.send(answer);
    }
}
