//! What is known about a session, shared by all locks over it.

use crate::answer::{Native, lacks_plpgsql};
use crate::key::Number;
use crate::leaving::Leaving;
use crate::statement::Form;
use dlock_core::within;
use futures::future::BoxFuture;
use std::collections::HashMap;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_postgres::Client;
use tokio_postgres::error::SqlState;

/// How long after its slice a turn is taken for given up, where the server has answered.
const OVERDUE: Duration = Duration::from_secs(1);

/// How long a task may take to see an answer that has come.
const A_MOMENT: Duration = Duration::from_millis(100);

/// The sessions that locks are over, by the address of their client: a lock over `&Client` knows no other
/// name. An entry lives as long as the locks do, not as long as the client.
static SESSIONS: LazyLock<Mutex<HashMap<usize, Weak<Registry>>>> = LazyLock::new(Mutex::default);

/// What one session holds, and who waits over it.
pub(crate) struct Registry {
    address: usize,
    /// Each with the acquire that claims it.
    keys: Mutex<HashMap<Number, (u64, Claim)>>,
    /// Itself, while a key is leaving that no task sees to: the next lock here has to know.
    kept: Mutex<Option<Arc<Self>>>,
    /// One wait at a time is on the wire: a statement of the caller's then stands behind one slice.
    turn: Arc<Semaphore>,
    turn_ends: Mutex<Instant>,
    /// Whether this server has no `plpgsql` for this role.
    is_plain: AtomicBool,
    /// Whether this role may not see what it holds.
    is_blind: AtomicBool,
    /// Whether a transaction in which a lock was granted may be open: a prepared try cannot tell.
    is_inside: AtomicBool,
    owners: AtomicU64,
}

/// Whose a key is on this session.
#[derive(Clone)]
pub(crate) enum Claim {
    /// A lock tries it, or waits for it.
    Wanted,
    Held,
    /// Nobody wants it any more; whether the server has let go is not known.
    Leaving(Leaving),
}

impl Registry {
    /// That of the session that this client speaks for.
    pub(crate) fn of(client: &Client) -> Arc<Self> {
        let address = std::ptr::from_ref(client).addr();
        let mut sessions = lock(&SESSIONS);
        if let Some(known) = sessions.get(&address).and_then(Weak::upgrade) {
            return known;
        }
        let new = Arc::new(Self::new(address));
        sessions.insert(address, Arc::downgrade(&new));
        new
    }

    fn new(address: usize) -> Self {
        Self {
            address,
            keys: Mutex::default(),
            kept: Mutex::default(),
            turn: Arc::new(Semaphore::new(1)),
            turn_ends: Mutex::new(Instant::now()),
            is_plain: AtomicBool::new(false),
            is_blind: AtomicBool::new(false),
            is_inside: AtomicBool::new(false),
            owners: AtomicU64::new(1),
        }
    }

    /// Claims a key for a lock that wants it, unless another lock holds or wants it. What it was before.
    pub(crate) fn claim(&self, key: Number, owner: u64) -> Option<(u64, Claim)> {
        let mut keys = lock(&self.keys);
        match keys.get(&key) {
            Some(taken @ (_, Claim::Held | Claim::Wanted)) => Some(taken.clone()),
            _ => keys.insert(key, (owner, Claim::Wanted)),
        }
    }

    /// Claims a key that the holder does not hold any more, unless another lock has come first.
    pub(crate) fn claim_from(&self, holder: u64, key: Number, owner: u64) -> bool {
        let mut keys = lock(&self.keys);
        match keys.get_mut(&key) {
            Some(claimed) if claimed.0 == holder && matches!(claimed.1, Claim::Held) => {
                *claimed = (owner, Claim::Wanted);
            }
            _ => return false,
        }
        true
    }

    /// Says what became of a key that this lock claims. `false`: another lock has claimed it since.
    pub(crate) fn set(&self, key: Number, owner: u64, claim: Claim) -> bool {
        match lock(&self.keys).get_mut(&key) {
            Some((claimant, before)) if *claimant == owner => *before = claim,
            _ => return false,
        }
        true
    }

    /// A number for an acquire, to know whose a claim is.
    pub(crate) fn owner(&self) -> u64 {
        self.owners.fetch_add(1, Ordering::Relaxed)
    }

    /// Queues something for a key that is this lock's, before anybody else can claim it. `None`: it was freed
    /// by hand, and another lock has claimed it since.
    pub(crate) fn as_owner<T>(
        &self,
        key: Number,
        owner: u64,
        queue: impl FnOnce() -> T,
    ) -> Option<T> {
        let keys = lock(&self.keys);
        let is_owner = keys.get(&key).is_some_and(|(claimant, _)| *claimant == owner);
        is_owner.then(queue)
    }

    /// Claims a key that is being let go of, to see to that.
    pub(crate) fn claim_leaving(&self, key: Number, owner: u64) -> Option<Leaving> {
        let mut keys = lock(&self.keys);
        let claimed = keys.get_mut(&key)?;
        let Claim::Leaving(leaving) = &claimed.1 else { return None };
        let leaving = leaving.clone();
        *claimed = (owner, Claim::Wanted);
        Some(leaving)
    }

    pub(crate) fn is_inside(&self) -> bool {
        self.is_inside.load(Ordering::Relaxed)
    }

    /// A transaction's lock was granted over this session, or no transaction is open any more.
    pub(crate) fn set_inside(&self, is_inside: bool) {
        self.is_inside.store(is_inside, Ordering::Relaxed);
    }

    /// The key is not this lock's any more.
    pub(crate) fn free(&self, key: Number, owner: u64) {
        let mut keys = lock(&self.keys);
        // Another lock may have claimed it.
        keys.retain(|claimed, (claimant, _)| *claimed != key || *claimant != owner);
        if !keys.values().any(|(_, claim)| matches!(claim, Claim::Leaving(_))) {
            // Never the last one: this is called over another.
            drop(lock(&self.kept).take());
        }
    }

    /// Stays until the keys that are leaving have left.
    pub(crate) fn keep(self: &Arc<Self>) {
        *lock(&self.kept) = Some(Arc::clone(self));
    }

    /// Whether the session holds another key, as far as is known here.
    pub(crate) fn holds_beside(&self, key: Number) -> bool {
        lock(&self.keys).iter().any(|(other, (_, claim))| {
            *other != key && matches!(claim, Claim::Held | Claim::Leaving(_))
        })
    }

    /// The turn to have a wait on the wire: first come, first served. `None`: a future that nobody polls
    /// any more has it, though its slice has long been answered; `caught_up` ends when all is answered that
    /// was said before.
    pub(crate) async fn turn<'a>(
        &self,
        caught_up: impl Fn() -> BoxFuture<'a, ()>,
    ) -> Option<OwnedSemaphorePermit> {
        let mut turn = pin!(Arc::clone(&self.turn).acquire_owned());
        loop {
            let ends = *lock(&self.turn_ends);
            let left = ends.saturating_duration_since(Instant::now());
            if let Some(turn) = within(left, turn.as_mut()).await {
                return turn.ok();
            }
            // A long statement of the caller's may stand in front of it.
            caught_up().await;
            if let Some(turn) = within(A_MOMENT, turn.as_mut()).await {
                return turn.ok();
            }
            let mut now = lock(&self.turn_ends);
            if *now == ends {
                *now = Instant::now() + OVERDUE;
                return None;
            }
        }
    }

    /// A slice of this length begins.
    pub(crate) fn set_turn(&self, slice: Duration) {
        let ends = Instant::now().checked_add(slice.saturating_add(OVERDUE));
        if let Some(ends) = ends {
            *lock(&self.turn_ends) = ends;
        }
    }

    /// How waits are said: without `plpgsql` where there is none.
    pub(crate) fn form(&self) -> Form {
        if self.is_plain.load(Ordering::Relaxed) { Form::Plain } else { Form::Quiet }
    }

    /// Whether a slice that ended with this error ran out, or may be said again without `plpgsql`.
    pub(crate) fn ran_out(&self, form: Form, error: &Native) -> bool {
        let lacks_plpgsql = form == Form::Quiet && lacks_plpgsql(error);
        if lacks_plpgsql && !self.is_plain.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                "plpgsql is not to be used on this server: each slice of a wait for an advisory \
                 lock will be an error in the server's log"
            );
        }
        lacks_plpgsql || error.code() == Some(&SqlState::LOCK_NOT_AVAILABLE)
    }

    /// Whether this role may not see what it holds.
    pub(crate) fn is_blind(&self) -> bool {
        self.is_blind.load(Ordering::Relaxed)
    }

    pub(crate) fn set_blind(&self) {
        self.is_blind.store(true, Ordering::Relaxed);
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        let mut sessions = lock(&SESSIONS);
        // A new one may stand there by now.
        if sessions.get(&self.address).is_some_and(|known| std::ptr::eq(known.as_ptr(), self)) {
            sessions.remove(&self.address);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod owners;

#[cfg(test)]
mod tests {
    use super::{Claim, Registry, lock};
    use crate::key::Number;
    use std::sync::Barrier;
    use std::thread;

    const KEY: Number = Number::Single(1);

    fn owner(registry: &Registry) -> Option<u64> {
        lock(&registry.keys).get(&KEY).map(|(owner, _)| *owner)
    }

    /// One lets go of a key while another finds out that it is free and claims it: on two threads, each
    /// way round.
    #[test]
    fn a_claim_is_never_freed_by_the_one_before() {
        let registry = Registry::new(0);
        let both = Barrier::new(2);
        let mut claimed = 0;
        for _ in 0..20_000 {
            lock(&registry.keys).insert(KEY, (1, Claim::Held));
            let mine = thread::scope(|scope| {
                let other = scope.spawn(|| {
                    both.wait();
                    registry.claim_from(1, KEY, 2)
                });
                both.wait();
                registry.free(KEY, 1);
                other.join().unwrap()
            });
            assert_eq!(owner(&registry), mine.then_some(2));
            claimed += u32::from(mine);
        }
        assert!(claimed > 0, "they met");
    }

    #[test]
    fn a_lock_that_lets_go_keeps_others_away() {
        let registry = Registry::new(0);
        lock(&registry.keys).insert(KEY, (1, Claim::Held));
        assert!(registry.set(KEY, 1, Claim::Wanted));
        assert!(!registry.claim_from(1, KEY, 2) && registry.claim(KEY, 2).is_some());
        registry.free(KEY, 1);
        assert!(registry.claim(KEY, 2).is_none() && !registry.set(KEY, 1, Claim::Wanted));
        registry.free(KEY, 1);
        assert_eq!(owner(&registry), Some(2));
    }
}
