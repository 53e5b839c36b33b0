use crate::Mode;
use crate::mode::conflict;
use crate::table::SessionId;
use std::collections::VecDeque;
use tokio::sync::oneshot;

/// What a waiter is told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Answer {
    Granted,
    /// Its session was ended.
    Ended,
}

/// A session that holds the key.
#[derive(Debug)]
struct Holder {
    session: SessionId,
    mode: Mode,
}

/// A session that waits for the key.
#[derive(Debug)]
pub(crate) struct Waiter {
    pub(crate) session: SessionId,
    pub(crate) mode: Mode,
    pub(crate) ticket: u64,
    pub(crate) answer: oneshot::Sender<Answer>,
}

/// One key: who holds it, and who waits for it in the order they came.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    holders: Vec<Holder>,
    waiters: VecDeque<Waiter>,
}

impl Queue {
    pub(crate) fn holders(&self) -> usize {
        self.holders.len()
    }

    pub(crate) fn waiters(&self) -> usize {
        self.waiters.len()
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.holders.is_empty() && self.waiters.is_empty()
    }

    /// Whether the session waits for the key.
    pub(crate) fn awaits(&self, session: SessionId) -> bool {
        self.waiters.iter().any(|waiter| waiter.session == session)
    }

    /// The sessions that hold the key or wait for it.
    pub(crate) fn sessions(&self) -> impl Iterator<Item = SessionId> {
        let waiters = self.waiters.iter().map(|waiter| waiter.session);
        self.holders.iter().map(|holder| holder.session).chain(waiters)
    }

    /// The same, with the mode and whether the session waits.
    pub(crate) fn requests(&self) -> impl Iterator<Item = (SessionId, Mode, bool)> {
        let waiters = self.waiters.iter().map(|waiter| (waiter.session, waiter.mode, true));
        self.holders.iter().map(|holder| (holder.session, holder.mode, false)).chain(waiters)
    }

    /// Whether a request in this mode is granted at once: nobody is passed by.
    pub(crate) fn is_open(&self, mode: Mode) -> bool {
        self.admits(mode) && !self.waiters.iter().any(|waiter| conflict(waiter.mode, mode))
    }

    fn admits(&self, mode: Mode) -> bool {
        !self.holders.iter().any(|holder| conflict(holder.mode, mode))
    }

    pub(crate) fn hold(&mut self, session: SessionId, mode: Mode) {
        self.holders.push(Holder { session, mode });
    }

    pub(crate) fn join(&mut self, waiter: Waiter) {
        self.waiters.push_back(waiter);
    }

    /// Whom a newcomer would wait for.
    pub(crate) fn blockers(&self, mode: Mode) -> Vec<SessionId> {
        self.blockers_behind(mode, self.waiters.len())
    }

    /// Whom the waits of this session for this key wait for.
    pub(crate) fn blockers_of(&self, session: SessionId) -> Vec<SessionId> {
        let waits = self.waiters.iter().enumerate().filter(|(_, waiter)| waiter.session == session);
        waits.flat_map(|(place, waiter)| self.blockers_behind(waiter.mode, place)).collect()
    }

    fn blockers_behind(&self, mode: Mode, place: usize) -> Vec<SessionId> {
        let holders = self.holders.iter().map(|holder| (holder.session, holder.mode));
        let ahead = self.waiters.iter().take(place).map(|waiter| (waiter.session, waiter.mode));
        let in_the_way = holders.chain(ahead).filter(|(_, other)| conflict(*other, mode));
        in_the_way.map(|(session, _)| session).collect()
    }

    /// Lets go of the key. `false`: the session did not hold it.
    pub(crate) fn release(&mut self, session: SessionId) -> bool {
        let before = self.holders.len();
        self.holders.retain(|holder| holder.session != session);
        let released = self.holders.len() < before;
        self.serve();
        released
    }

    /// Leaves the queue. `false`: the waiter was answered already.
    pub(crate) fn withdraw(&mut self, ticket: u64) -> bool {
        let before = self.waiters.len();
        self.waiters.retain(|waiter| waiter.ticket != ticket);
        let withdrawn = self.waiters.len() < before;
        self.serve();
        withdrawn
    }

    /// Removes ended sessions, all of them before anybody is served.
    pub(crate) fn end(&mut self, ended: &[SessionId]) {
        self.holders.retain(|holder| !ended.contains(&holder.session));
        let (gone, left): (VecDeque<_>, _) =
            self.waiters.drain(..).partition(|waiter| ended.contains(&waiter.session));
        self.waiters = left;
        gone.into_iter().for_each(|waiter| tell(waiter, Answer::Ended));
        self.serve();
    }

    /// Grants from the front for as long as the holders admit it.
    fn serve(&mut self) {
        while let Some(first) = self.waiters.front()
            && self.admits(first.mode)
            && let Some(waiter) = self.waiters.pop_front()
        {
            self.hold(waiter.session, waiter.mode);
            tell(waiter, Answer::Granted);
        }
    }
}

/// A waiter leaves the queue before it stops listening, so this always arrives.
fn tell(waiter: Waiter, answer: Answer) {
    let _ = waiter.answer.send(answer);
}
