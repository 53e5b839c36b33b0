use super::outbox::Part;
use super::registry::KeyId;
use super::{Moment, RequestId};
use std::collections::VecDeque;

/// One session, as the model knows it.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) role: Role,
    pub(crate) state: State,
    /// What goes out with the next batch.
    pub(crate) outbox: VecDeque<(KeyId, Part)>,
    /// What was sent and not answered, oldest first.
    pub(crate) unanswered: VecDeque<Sent>,
    /// When the last statement was sent that was answered.
    pub(crate) answered: Moment,
    /// When something was last sent.
    pub(crate) sent: Moment,
    /// When it last had anything to do but to prove that it lives.
    pub(crate) used: Moment,
    /// How many keys stand with it.
    pub(crate) keys: usize,
    /// How many of those are held, so that its end would be a loss.
    pub(crate) holds: usize,
    /// Whether it must prove that it lives before anybody gets what it was granted.
    pub(crate) owes_a_ping: bool,
    /// How many of its batches in a row were interrupted.
    pub(crate) interrupted: u32,
    /// Whether the server ever answered on it.
    pub(crate) is_proven: bool,
    pub(crate) server: String,
}

/// What a session is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Role {
    /// Runs what is answered at once, for any number of keys.
    Serving,
    /// Waits in the server's queue, and then holds what it waited for and nothing else.
    Waiting,
}

/// How far a session is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum State {
    /// It is to be opened then.
    Due(Moment),
    Opening,
    Open,
}

/// A statement that was not answered yet.
#[derive(Debug)]
pub(crate) struct Sent {
    pub(crate) at: Moment,
    pub(crate) statement: Statement,
}

#[derive(Debug)]
pub(crate) enum Statement {
    Batch(Vec<(KeyId, Part)>),
    /// Until then at the latest.
    Wait(KeyId, Moment),
    /// For another mode of a key.
    Convert(KeyId),
    Raise(KeyId, RequestId),
    Ping,
}

impl Session {
    pub(crate) fn new(role: Role, due: Moment, now: Moment) -> Self {
        Self {
            role,
            state: State::Due(due),
            outbox: VecDeque::new(),
            unanswered: VecDeque::new(),
            answered: now,
            sent: now,
            used: now,
            keys: 0,
            holds: 0,
            owes_a_ping: false,
            interrupted: 0,
            is_proven: false,
            server: String::new(),
        }
    }

    pub(crate) fn is_open(&self) -> bool {
        self.state == State::Open
    }

    /// Whether nothing stands with it and nothing is under way.
    pub(crate) fn is_idle(&self) -> bool {
        self.is_open() && self.keys == 0 && self.unanswered.is_empty() && self.outbox.is_empty()
    }

    /// Whether it can wait now. A ping under way is in nobody's way.
    pub(crate) fn can_wait(&self) -> bool {
        let only_pings =
            self.unanswered.iter().all(|sent| matches!(sent.statement, Statement::Ping));
        self.role == Role::Waiting
            && self.is_open()
            && self.keys == 0
            && self.outbox.is_empty()
            && only_pings
    }

    /// Whether a statement is under way that waits for others.
    pub(crate) fn is_waiting(&self) -> bool {
        let waits = |sent: &Sent| !matches!(sent.statement, Statement::Batch(_) | Statement::Ping);
        self.unanswered.iter().any(waits)
    }

    pub(crate) fn batches(&self) -> usize {
        let is_batch = |sent: &&Sent| matches!(sent.statement, Statement::Batch(_));
        self.unanswered.iter().filter(is_batch).count()
    }
}
