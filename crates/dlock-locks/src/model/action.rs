use super::{Moment, RequestId, SessionId};
use crate::{LostReason, Mode};
use std::time::Duration;

/// What the model wants done.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Action<K, E> {
    /// Open a session.
    Open(SessionId),
    /// Send these as one statement.
    Batch { session: SessionId, asks: Vec<Ask<K>> },
    /// Wait in the server's queue for at most so long.
    Wait { session: SessionId, key: K, mode: Mode, limit: Duration },
    /// Wait for another mode of a key that the session holds.
    Convert { session: SessionId, key: K, from: Mode, to: Mode, limit: Duration },
    /// Raise the fence of the key that the session holds.
    Raise { session: SessionId, key: K, limit: Duration },
    /// Send the smallest statement there is.
    Ping(SessionId),
    /// End a session, behind what was sent or at once and without another word.
    End { session: SessionId, how: Ending },
    /// A statement was answered that was sent at this moment.
    Trust { session: SessionId, sent: Moment },
    /// The request has the key.
    Grant { request: RequestId, session: SessionId, token: Option<u64> },
    /// The request will not have the key.
    Refuse { request: RequestId, refusal: Refusal<E> },
    /// The hold was given back; an error when it had been lost.
    Done { request: RequestId, released: Result<(), LostReason> },
    /// The hold is in the other mode now, or not.
    Converted { request: RequestId, answer: Result<bool, Refusal<E>> },
    /// The hold is lost.
    Lose { request: RequestId, reason: LostReason },
    /// All sessions have ended after [`Event::Closed`](super::Event::Closed).
    Closed,
}

/// How a session is ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Ending {
    AfterAnswers,
    AtOnce,
}

/// One part of a batch. No key is twice in one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ask<K> {
    /// What is done.
    pub what: What,
    /// To which key.
    pub key: K,
    /// In which mode.
    pub mode: Mode,
}

/// What a part of a batch does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum What {
    /// Takes the key if it is free. `true`: this session holds it now.
    Try,
    /// Lets the key go. `true`: this session held it.
    Release,
    /// Lets the key go where this session holds it, which nobody knows: an answer went missing. Its answer
    /// says nothing.
    Undo,
}

/// Why a request will not have its key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Refusal<E> {
    /// It is held elsewhere, and the request waits no longer.
    TimedOut,
    /// There are as many keys as are allowed.
    TooManyKeys,
    /// Every session that is allowed holds a key, so that none can wait.
    TooManySessions,
    /// No session could be opened.
    NoSession(Option<E>),
    /// The server said an error each time it was asked.
    Failed(E),
    /// Everything was let go.
    Closed,
}
