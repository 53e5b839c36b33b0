use super::permit::{Permit, Slot};
use super::seek::Seek;
use crate::driver::Driver;
use crate::engine::meter::Meter;
use crate::held::Held;
use crate::hold::Hold;
use crate::input::Refused;
use crate::locks::Shared;
use crate::model::{Moment, Refusal};
use crate::sync::{Mutex, MutexGuard};
use dlock_core::within;
use futures::future::select_all;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, oneshot};

/// What who waits is told.
pub(crate) type Answer<D> = Result<Permit<D>, Refused<D>>;

/// One semaphore in this process: who waits for a permit, and which are here.
pub(crate) struct Pool<D: Driver> {
    pub(crate) shared: Arc<Shared<D>>,
    key: D::Key,
    /// What who looks for permits holds: one at a time, in all processes together.
    pub(crate) turnstile: D::Key,
    slots: Vec<D::Key>,
    state: Mutex<State<D>>,
    /// Something has changed for who looks for permits.
    changed: Notify,
}

struct State<D: Driver> {
    /// In the order they came.
    waiting: VecDeque<Waiter<D>>,
    numbers: u64,
    /// Which slots are in this process, as far as they are not lost.
    here: HashMap<usize, Arc<Hold>>,
    /// Whether somebody looks for permits.
    is_sought: bool,
}

struct Waiter<D: Driver> {
    number: u64,
    /// Whether it wants to know as soon as there is none.
    is_try: bool,
    since: Moment,
    answer: oneshot::Sender<Answer<D>>,
}

impl<D: Driver> Pool<D> {
    pub(crate) fn meter(&self) -> &Meter {
        &self.shared.meter
    }

    pub(crate) fn new(shared: Arc<Shared<D>>, key: D::Key, permits: usize) -> Self {
        let slot = |number: usize| D::derive(&key, &format!("permit {number}"));
        let (slots, turnstile) = ((1..=permits).map(slot).collect(), D::derive(&key, "permits"));
        let (waiting, here) = (VecDeque::new(), HashMap::new());
        let state = Mutex::new(State { waiting, numbers: 0, here, is_sought: false });
        Self { shared, key, turnstile, slots, state, changed: Notify::new() }
    }

    pub(crate) fn key(&self) -> &D::Key {
        &self.key
    }

    pub(crate) fn permits(&self) -> usize {
        self.slots.len()
    }

    /// It stays sound when a caller panics.
    fn state(&self) -> MutexGuard<'_, State<D>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Joins the queue, and has permits looked for.
    pub(crate) fn join(self: &Arc<Self>, is_try: bool) -> (u64, oneshot::Receiver<Answer<D>>) {
        let (sender, answer) = oneshot::channel();
        let mut state = self.state();
        state.numbers += 1;
        let (number, since) = (state.numbers, self.shared.clock.now());
        state.waiting.push_back(Waiter { number, is_try, since, answer: sender });
        let is_sought = std::mem::replace(&mut state.is_sought, true);
        drop(state);
        match is_sought {
            false => Seek::start(self),
            true if is_try => self.changed.notify_one(),
            true => {}
        }
        (number, answer)
    }

    /// Leaves the queue, where it was not answered.
    pub(crate) fn leave(&self, number: u64) {
        let mut state = self.state();
        if let Ok(place) = state.waiting.binary_search_by_key(&number, |waiter| waiter.number) {
            state.waiting.remove(place);
            if state.waiting.is_empty() {
                self.changed.notify_one();
            }
        }
    }

    /// Gives a slot to who is first, or else lets it go.
    pub(crate) fn offer(self: &Arc<Self>, slot: Slot<D>) {
        if let Some(left) = self.hand_over(slot) {
            drop(left);
            self.changed.notify_one();
        }
    }

    /// Gives a slot to who is first, or back where it is to be let go.
    pub(crate) fn hand_over(self: &Arc<Self>, mut slot: Slot<D>) -> Option<Slot<D>> {
        while let Some(waiter) = self.next_for(&slot) {
            let permit = Permit::new(Arc::clone(self), slot);
            match waiter.answer.send(Ok(permit)) {
                Ok(()) => return None,
                // It has gone away.
                Err(back) => slot = back.ok().and_then(Permit::into_slot)?,
            }
        }
        Some(slot)
    }

    /// Who is to have the slot. `None`: it is not here any more.
    fn next_for(&self, slot: &Slot<D>) -> Option<Waiter<D>> {
        let stayed = self.shared.clock.now().saturating_sub(slot.since);
        let may_stay = slot.is_new || stayed < self.shared.settings.stay;
        let (is_sound, hold) = (!slot.held.is_lost(), slot.held.hold());
        let mut state = self.state();
        let next = match may_stay && is_sound {
            true => state.waiting.pop_front(),
            false => None,
        };
        // One that was lost may be here again.
        let is_it = state.here.get(&slot.index).is_some_and(|here| Arc::ptr_eq(here, &hold));
        if next.is_none() && is_it {
            state.here.remove(&slot.index);
        }
        next
    }

    /// Tells who looks for permits when it is dropped.
    pub(crate) fn tells(&self) -> Tells<'_> {
        Tells(&self.changed)
    }

    /// Completes when something has changed, or after so long.
    pub(crate) async fn pause(&self, longest: Duration) {
        within(longest, self.changed.notified()).await;
    }

    /// The slots that are not here.
    pub(crate) fn elsewhere(&self) -> Vec<(usize, D::Key)> {
        let here = self.sound();
        let slots = self.slots.iter().cloned().enumerate();
        slots.filter(|(index, _)| !here.contains_key(index)).collect()
    }

    /// A slot was granted, for who is first; or back, where nobody wants it.
    pub(crate) fn arrived(self: &Arc<Self>, index: usize, held: Held<D>) -> Option<Held<D>> {
        self.state().here.insert(index, held.hold());
        let since = self.shared.clock.now();
        self.hand_over(Slot { index, held, since, is_new: true }).map(|slot| slot.held)
    }

    pub(crate) fn is_wanted(&self) -> bool {
        !self.state().waiting.is_empty()
    }

    /// Whether each slot is here.
    pub(crate) fn is_complete(&self) -> bool {
        self.sound().len() == self.slots.len()
    }

    /// The slots that are here. One that is lost is anybody's, whoever keeps its permit.
    fn sound(&self) -> HashMap<usize, Arc<Hold>> {
        let mut here = self.state().here.clone();
        here.retain(|_, hold| hold.lost().is_none());
        here
    }

    /// Completes when one of those that are here is lost.
    pub(crate) async fn one_is_lost(&self) {
        let here = self.state().here.clone();
        let lost = here.into_values().map(|hold| Box::pin(async move { hold.cancelled().await }));
        let lost = Vec::from_iter(lost);
        if !lost.is_empty() {
            select_all(lost).await;
        }
    }

    /// Whether nobody waits, so that nobody looks from now on.
    pub(crate) fn rests(&self) -> bool {
        let mut state = self.state();
        state.is_sought = !state.waiting.is_empty();
        !state.is_sought
    }

    pub(crate) fn has_tries(&self) -> bool {
        self.state().waiting.iter().any(|waiter| waiter.is_try)
    }

    /// Tells those who do not wait, and came before, that there is none.
    pub(crate) fn refuse_tries(&self, before: Moment) {
        let is_over = |waiter: &Waiter<D>| waiter.is_try && waiter.since <= before;
        self.refuse(&Refusal::TimedOut, is_over);
    }

    pub(crate) fn refuse_all(&self, refused: &Refused<D>) {
        self.refuse(refused, |_| true);
    }

    fn refuse(&self, refused: &Refused<D>, is_over: impl Fn(&Waiter<D>) -> bool) {
        let mut state = self.state();
        let (over, left): (VecDeque<_>, _) = state.waiting.drain(..).partition(is_over);
        state.waiting = left;
        drop(state);
        for waiter in over {
            // Who has gone away need not know.
            let _ = waiter.answer.send(Err(refused.clone()));
        }
    }
}

/// Tells who looks for permits.
pub(crate) struct Tells<'a>(&'a Notify);

impl Drop for Tells<'_> {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}
