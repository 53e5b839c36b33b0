use super::{Moment, RequestId, SessionId};
use crate::Mode;

/// What the model is told.
#[derive(Clone, Debug)]
pub(crate) enum Event<K, E> {
    /// Somebody asks for a key.
    Asked(Asked<K>),
    /// Nobody awaits this request, or its hold, any more.
    Dropped(RequestId),
    /// A hold is given back by a call that wants to be told.
    Released(RequestId),
    /// The hold is to be in another mode.
    Converting { request: RequestId, to: Mode, patience: Patience },
    /// A session is open, on the server of this identity.
    Opened { session: SessionId, server: String },
    /// The oldest unanswered statement of this session was answered.
    Answered { session: SessionId, answer: Answer<E> },
    /// A session has ended, or could not be opened.
    Ended { session: SessionId, error: Option<E> },
    /// A session is to be there, whether a key is asked for or not.
    Needed,
    /// Everything is to be let go.
    Closed,
}

/// A request for a key.
#[derive(Clone, Debug)]
pub(crate) struct Asked<K> {
    pub(crate) request: RequestId,
    pub(crate) key: K,
    pub(crate) mode: Mode,
    pub(crate) patience: Patience,
    pub(crate) need: Need,
}

/// What a request needs besides the key.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) enum Need {
    #[default]
    Nothing,
    /// A session that carries this key alone, and this holder.
    Session,
    /// That, and the key's fence raised.
    Fence,
}

/// How long a request waits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Patience {
    No,
    Until(Moment),
    Forever,
}

/// An answer of the server's.
#[derive(Clone, Debug)]
pub(crate) enum Answer<E> {
    /// One truth for each of the batch. An error says nothing about any of them.
    Batch(Result<Vec<bool>, E>),
    /// Whether the key was granted. After an error it may be held.
    Wait(Result<bool, E>),
    /// Whether the mode was changed.
    Convert(Result<bool, E>),
    /// The fence's number.
    Raise(Result<Option<u64>, E>),
    Pong,
}
