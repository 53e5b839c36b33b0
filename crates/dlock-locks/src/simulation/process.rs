use crate::Mode;
use crate::model::{Model, RequestId, SessionId, Settings};
use std::collections::{HashMap, HashSet};
use std::time::Duration;

/// A process: its model, and what its runtime would keep.
#[derive(Debug)]
pub(crate) struct Process {
    pub(crate) model: Model<u32, String>,
    /// Which task a request is of.
    pub(crate) tasks: HashMap<RequestId, usize>,
    /// Who holds, on which session and how.
    pub(crate) holds: HashMap<RequestId, (SessionId, Mode)>,
    /// When the model wants to act next.
    pub(crate) alarm: Option<Duration>,
    /// The sessions whose network is cut.
    pub(crate) cut: HashSet<SessionId>,
    pub(crate) requests: u64,
    pub(crate) sessions: HashSet<SessionId>,
    /// Until when it stands still.
    pub(crate) stands_until: Duration,
    /// When the last statement was sent that each session answered.
    pub(crate) answered: HashMap<SessionId, Duration>,
    pub(crate) is_closed: bool,
}

impl Process {
    pub(crate) fn new(settings: Settings, seed: u64) -> Self {
        Self {
            model: Model::new(settings, turnstile, seed),
            tasks: HashMap::new(),
            holds: HashMap::new(),
            alarm: None,
            cut: HashSet::new(),
            requests: 0,
            sessions: HashSet::new(),
            stands_until: Duration::ZERO,
            answered: HashMap::new(),
            is_closed: false,
        }
    }

    pub(crate) fn request(&mut self, task: usize) -> RequestId {
        self.requests += 1;
        let id = RequestId(self.requests);
        self.tasks.insert(id, task);
        id
    }
}

/// Keys of tasks are small.
pub(crate) const TURNSTILE: u32 = 1 << 31;

/// The key on which a waiting writer stands.
fn turnstile(key: &u32) -> Option<u32> {
    Some(key | TURNSTILE)
}
