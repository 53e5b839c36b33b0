use super::probe::Probe;
use super::{Moment, RequestId, SessionId};
use crate::Mode;
use std::collections::VecDeque;

/// One key: where it stands with the server, and who in this process wants it, in the order they came.
#[derive(Debug)]
pub(crate) struct Entry<K> {
    pub(crate) key: K,
    pub(crate) place: Place,
    /// Its turn for a session to wait on, where it wants one.
    pub(crate) turn: Option<u64>,
    /// How often in a row its asks went without an answer.
    pub(crate) interrupted: u32,
    /// Who wants it. Those that gave up stay until they come to the front.
    pub(crate) waiting: VecDeque<RequestId>,
    /// How many of those gave up.
    pub(crate) given_up: usize,
    /// How many of those do not wait for others.
    pub(crate) tries: usize,
    /// Who was asked whether a key that stays may be joined still.
    pub(crate) probe: Option<Probe>,
    /// When it may be asked again.
    pub(crate) probe_at: Moment,
    /// Whether the server's last word was that somebody else has it.
    pub(crate) is_refused: bool,
    /// The request for the key's turnstile.
    pub(crate) turnstile: Option<RequestId>,
}

/// Where a key stands with the server.
#[derive(Debug)]
pub(crate) enum Place {
    /// Nothing was asked, or it was let go.
    Free,
    /// A try is under way.
    Asked { session: SessionId, mode: Mode },
    /// A session waits in the server's queue.
    Queued { session: SessionId, mode: Mode },
    /// Held elsewhere, and no session waits.
    Parked,
    /// A session holds it.
    Held(Stay),
    /// It is being let go.
    Leaving { session: SessionId, mode: Mode, tell: Option<RequestId> },
    /// An answer went missing: what may be held is being let go.
    Undoing { session: SessionId, mode: Mode, tell: Option<RequestId> },
}

/// A key's stay in this process.
#[derive(Debug)]
pub(crate) struct Stay {
    pub(crate) session: SessionId,
    pub(crate) mode: Mode,
    pub(crate) since: Moment,
    /// Who holds it.
    pub(crate) holders: Vec<RequestId>,
    /// Whether nobody had it yet.
    pub(crate) is_new: bool,
    /// Whether a sign of life is awaited before anybody gets it.
    pub(crate) is_late: bool,
}

impl<K> Entry<K> {
    pub(crate) fn new(key: K) -> Self {
        Self {
            key,
            place: Place::Free,
            turn: None,
            interrupted: 0,
            waiting: VecDeque::new(),
            given_up: 0,
            tries: 0,
            probe: None,
            probe_at: Moment::ZERO,
            is_refused: false,
            turnstile: None,
        }
    }

    /// Whether somebody waits.
    pub(crate) fn is_wanted(&self) -> bool {
        self.waiting.len() > self.given_up
    }

    pub(crate) fn is_probed_by(&self, session: SessionId) -> bool {
        self.probe.is_some_and(|probe| probe.session == session)
    }

    pub(crate) fn stay(&self) -> Option<&Stay> {
        if let Place::Held(stay) = &self.place { Some(stay) } else { None }
    }

    pub(crate) fn stay_mut(&mut self) -> Option<&mut Stay> {
        if let Place::Held(stay) = &mut self.place { Some(stay) } else { None }
    }

    /// Whether it is known that somebody else has it, so that who does not wait need not ask.
    pub(crate) fn is_taken(&self) -> bool {
        match &self.place {
            Place::Queued { .. } | Place::Parked => self.is_refused,
            Place::Held(stay) => !stay.holders.is_empty(),
            _ => false,
        }
    }
}

impl Place {
    /// The session that holds the key, or is asked about it.
    pub(crate) fn session(&self) -> Option<SessionId> {
        match self {
            Place::Free | Place::Parked => None,
            Place::Asked { session, .. }
            | Place::Queued { session, .. }
            | Place::Leaving { session, .. }
            | Place::Undoing { session, .. } => Some(*session),
            Place::Held(stay) => Some(stay.session),
        }
    }

    /// Whether somebody relies on the session's hold.
    pub(crate) fn is_trusted(&self) -> bool {
        match self {
            Place::Held(stay) => !stay.is_late,
            Place::Leaving { .. } => true,
            _ => false,
        }
    }
}
