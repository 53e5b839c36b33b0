use super::process::TURNSTILE;
use super::world::Link;
use crate::{Ask, Mode, What};
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::Duration;

/// A server: a fair queue for each key.
#[derive(Debug, Default)]
pub(crate) struct Server {
    keys: HashMap<u32, Queue>,
    /// The fence of each key.
    fences: HashMap<u32, u64>,
    /// The sessions that live, and when each last said something.
    pub(crate) sessions: BTreeMap<Link, Duration>,
}

#[derive(Debug, Default)]
struct Queue {
    holders: Vec<(Link, Mode)>,
    waiters: VecDeque<(Link, Mode)>,
    /// Readers that wait behind a writer's turnstile.
    behind: Vec<Link>,
}

fn conflict(one: Mode, other: Mode) -> bool {
    one == Mode::Exclusive
        || other == Mode::Exclusive
        || (one, other) == (Mode::Update, Mode::Update)
}

impl Queue {
    fn admits(&self, mode: Mode) -> bool {
        !self.holders.iter().any(|(_, held)| conflict(*held, mode))
    }

    fn is_open(&self, mode: Mode) -> bool {
        self.admits(mode) && !self.waiters.iter().any(|(_, waits)| conflict(*waits, mode))
    }

    /// Who is granted the key now.
    fn serve(&mut self) -> Vec<Link> {
        let mut granted = Vec::new();
        while let Some((link, mode)) = self.waiters.front().copied()
            && self.admits(mode)
        {
            self.waiters.pop_front();
            self.holders.push((link, mode));
            granted.push(link);
        }
        granted
    }
}

impl Server {
    /// The answers to a batch, and who was granted a key by what it let go of.
    pub(crate) fn batch(&mut self, link: Link, asks: &[Ask<u32>]) -> (Vec<bool>, Vec<Link>) {
        let mut granted = Vec::new();
        let truths = asks.iter().map(|ask| match ask.what {
            What::Try => self.try_lock(link, ask.key, ask.mode),
            What::Release | What::Undo => {
                let (truth, served) = self.release(link, ask.key);
                granted.extend(served);
                truth
            }
        });
        (truths.collect(), granted)
    }

    fn try_lock(&mut self, link: Link, key: u32, mode: Mode) -> bool {
        let queue = self.keys.entry(key).or_default();
        let known = queue.holders.iter().any(|(holder, _)| *holder == link);
        assert!(!known, "{link:?} asks for {key}, which it holds");
        if !queue.is_open(mode) || self.is_behind(key, mode) {
            return false;
        }
        self.keys.entry(key).or_default().holders.push((link, mode));
        true
    }

    /// Whether a reader has to stay behind a writer that waits.
    fn is_behind(&self, key: u32, mode: Mode) -> bool {
        let turnstile = self.keys.get(&(key | TURNSTILE));
        mode == Mode::Shared && turnstile.is_some_and(|it| !it.holders.is_empty())
    }

    fn release(&mut self, link: Link, key: u32) -> (bool, Vec<Link>) {
        let Some(queue) = self.keys.get_mut(&key) else { return (false, Vec::new()) };
        let before = queue.holders.len();
        queue.holders.retain(|(holder, _)| *holder != link);
        (queue.holders.len() < before, queue.serve())
    }

    /// Joins the queue. `true`: granted at once.
    pub(crate) fn wait(&mut self, link: Link, key: u32, mode: Mode) -> bool {
        let granted = self.try_lock(link, key, mode);
        let is_behind = self.is_behind(key, mode);
        let queue = self.keys.entry(key).or_default();
        match granted {
            true => {}
            false if is_behind => queue.behind.push(link),
            false => queue.waiters.push_back((link, mode)),
        }
        granted
    }

    /// Leaves the queue. `None`: it waited no more.
    pub(crate) fn leave(&mut self, link: Link, key: u32) -> Option<Vec<Link>> {
        let queue = self.keys.get_mut(&key)?;
        let before = queue.waiters.len() + queue.behind.len();
        queue.waiters.retain(|(waiter, _)| *waiter != link);
        queue.behind.retain(|waiter| *waiter != link);
        (queue.waiters.len() + queue.behind.len() < before).then(|| queue.serve())
    }

    /// Another mode for a key that is held, where no other holder is in its way.
    pub(crate) fn convert(&mut self, link: Link, key: u32, to: Mode) -> bool {
        let queue = self.keys.entry(key).or_default();
        let is_free =
            queue.holders.iter().all(|(holder, held)| *holder == link || !conflict(*held, to));
        let hold = queue.holders.iter_mut().find(|(holder, _)| *holder == link && is_free);
        hold.map(|(_, mode)| *mode = to).is_some()
    }

    pub(crate) fn raise(&mut self, link: Link, key: u32) -> u64 {
        assert!(
            self.holds(link, key, Mode::Exclusive),
            "{link:?} raises {key}, which it does not hold"
        );
        let fence = self.fences.entry(key).or_default();
        *fence += 1;
        *fence
    }

    /// Ends a session. Who is granted what it held?
    pub(crate) fn end(&mut self, link: Link) -> Vec<Link> {
        self.sessions.remove(&link);
        let mut granted = Vec::new();
        for queue in self.keys.values_mut() {
            queue.holders.retain(|(holder, _)| *holder != link);
            queue.waiters.retain(|(waiter, _)| *waiter != link);
            queue.behind.retain(|waiter| *waiter != link);
            granted.extend(queue.serve());
        }
        granted
    }

    /// In this mode, or in one that an answer under way tells of.
    pub(crate) fn holds(&self, link: Link, key: u32, mode: Mode) -> bool {
        let holds = |mode| self.keys.get(&key).is_some_and(|it| it.holders.contains(&(link, mode)));
        holds(mode) || mode == Mode::Update && holds(Mode::Exclusive)
    }

    /// Whether nobody holds anything, and nobody waits.
    pub(crate) fn is_clean(&self) -> bool {
        self.keys.values().all(|queue| queue.holders.is_empty() && queue.waiters.is_empty())
    }

    pub(crate) fn is_waiting(&self, link: Link) -> bool {
        self.keys.values().any(|it| it.waiters.iter().any(|(waiter, _)| *waiter == link))
    }
}
