//! The engine's state machine, without time, threads or a server: events go in, actions come out.
//!
//! * Each key has one queue, first in first out. Only its head is asked for.
//! * A *serving* session runs what is answered at once, for any number of keys: tries, releases, pings.
//! * Where a try says "held elsewhere", the key waits on a *waiting* session. Granted there, it stays
//!   there, and that session takes nothing else until the key is let go.
//! * Keys for which there is no waiting session take turns on those there are, and are tried meanwhile.
//! * A key that is wanted in the process is handed over in it, until it has stayed for so long that
//!   others have to have their chance.

mod action;
mod answer;
mod ask;
mod close;
mod convert;
mod deadline;
mod entry;
mod event;
mod fence;
mod interrupt;
mod lease;
mod open;
mod outbox;
mod probe;
mod registry;
mod request;
mod seat;
mod serve;
mod session;
mod settings;
mod stats;
mod turnstile;
mod waits;

pub(crate) use action::{Action, Ending, Refusal};
pub use action::{Ask, What};
pub(crate) use event::{Answer, Asked, Event, Need, Patience};
pub(crate) use settings::Settings;
pub use stats::Stats;
pub(crate) use waits::LongWait;

use entry::Place;
use registry::{KeyId, Registry};
use request::Request;
use session::Session;
use stats::Counts;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::hash::Hash;
use std::mem;
use std::time::Duration;

/// A moment: how long after the start of the model's clock.
pub(crate) type Moment = Duration;

/// What names a request, and the hold it becomes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) struct RequestId(pub(crate) u64);

/// What names a session.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) struct SessionId(pub(crate) u64);

/// The state machine of one factory of locks: keys of `K`, errors of `E`.
#[derive(Debug)]
pub(crate) struct Model<K, E> {
    settings: Settings,
    /// The key on which a waiting writer stands.
    turnstile: fn(&K) -> Option<K>,
    rng: fastrand::Rng,
    now: Moment,
    keys: Registry<K>,
    requests: HashMap<RequestId, Request>,
    deadlines: BTreeSet<(Moment, RequestId)>,
    sessions: BTreeMap<SessionId, Session>,
    /// Those that were told to end and have not said that they did.
    ending: HashSet<SessionId>,
    /// Keys that want a session to wait on, by their turns.
    parked: BTreeMap<u64, KeyId>,
    /// Shared keys that stayed for long and are wanted in shared mode again.
    late: BTreeSet<KeyId>,
    /// Requests of our own for the turnstiles of these keys.
    turnstiles: HashMap<RequestId, KeyId>,
    numbers: u64,
    retry_at: Moment,
    /// How many sessions in a row could not be opened, or ended without having answered.
    failures: u32,
    /// When the next session may be opened.
    next_open: Moment,
    /// Since when each session that is allowed holds a key while others want one to wait on.
    full_since: Option<Moment>,
    /// Whether there ever was a session.
    was_open: bool,
    is_closed: bool,
    counts: Counts,
    actions: Vec<Action<K, E>>,
}

impl<K: Clone + Eq + Hash, E: Clone> Model<K, E> {
    pub(crate) fn new(settings: Settings, turnstile: fn(&K) -> Option<K>, seed: u64) -> Self {
        Self {
            settings,
            turnstile,
            rng: fastrand::Rng::with_seed(seed),
            now: Moment::ZERO,
            keys: Registry::default(),
            requests: HashMap::new(),
            deadlines: BTreeSet::new(),
            sessions: BTreeMap::new(),
            ending: HashSet::new(),
            parked: BTreeMap::new(),
            late: BTreeSet::new(),
            turnstiles: HashMap::new(),
            numbers: 0,
            retry_at: Moment::ZERO,
            failures: 0,
            next_open: Moment::ZERO,
            full_since: None,
            was_open: false,
            is_closed: false,
            counts: Counts::default(),
            actions: Vec::new(),
        }
    }

    /// Takes in what happened. What is to be done about it, [`act`](Self::act) tells.
    pub(crate) fn handle(&mut self, now: Moment, event: Event<K, E>) {
        self.now = self.now.max(now);
        match event {
            Event::Asked(asked) => self.asked(asked),
            Event::Dropped(request) => self.drop_request(request),
            Event::Released(request) => self.release(request),
            Event::Converting { request, to, patience } => self.convert(request, to, patience),
            Event::Opened { session, server } => self.opened(session, server),
            Event::Answered { session, answer } => self.answered(session, answer),
            Event::Ended { session, error } => self.ended(session, error),
            Event::Needed if self.is_closed => {}
            Event::Needed => drop(self.serving()),
            Event::Closed => self.close(),
        }
    }

    /// The same keys, by the names that they have in this process.
    pub(crate) fn names(&self, keys: Vec<K>) -> Vec<K> {
        keys.into_iter().map(|key| self.keys.name(key)).collect()
    }

    /// What is to be done now, in this order.
    pub(crate) fn act(&mut self, now: Moment) -> Vec<Action<K, E>> {
        self.now = self.now.max(now);
        self.end_waits();
        self.watch_sessions();
        self.retry();
        self.send();
        mem::take(&mut self.actions)
    }

    /// When [`act`](Self::act) has something to do that no event brings about.
    pub(crate) fn alarm(&self) -> Option<Moment> {
        let retries = !self.parked.is_empty() || !self.late.is_empty();
        let deadline = self.deadlines.first().map(|(at, _)| *at);
        let sessions = self.sessions.values().filter_map(|session| self.session_alarm(session));
        sessions.chain(deadline).chain(retries.then_some(self.retry_at)).min()
    }

    fn number(&mut self) -> u64 {
        self.numbers += 1;
        self.numbers
    }

    /// A duration and up to half of it more, so that many do not all do it at the same time.
    fn about(&mut self, duration: Duration) -> Duration {
        duration.mul_f64(1.0 + self.rng.f64() / 2.0)
    }

    /// Where a key stands from now on; what it was before is returned.
    fn set_place(&mut self, key: KeyId, place: Place) -> Place {
        let old = mem::replace(&mut self.keys[key].place, place);
        if let Some(session) = old.session().and_then(|id| self.sessions.get_mut(&id)) {
            session.keys -= 1;
            session.holds -= usize::from(old.is_trusted());
            session.used = self.now;
        }
        self.keys[key].is_refused &= !matches!(self.keys[key].place, Place::Free);
        let new = &self.keys[key].place;
        if let Some(session) = new.session().and_then(|id| self.sessions.get_mut(&id)) {
            session.keys += 1;
            session.holds += usize::from(new.is_trusted());
        }
        self.late.remove(&key);
        old
    }
}
