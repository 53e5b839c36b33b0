use super::{Cast, Layout, Outcome, Step};
use crate::bed::Bed;
use dlock_core::{Error, Lock, Wait};
use std::marker::PhantomData;
use std::time::Duration;
use tokio::time::timeout;

/// How long a wait of a script is.
const WAIT: Duration = Duration::from_millis(30);
/// How long a wait may take that is to succeed.
const PATIENCE: Duration = Duration::from_secs(10);

/// Makes a lock shared, where the driver can.
pub type MakeShared<R> = fn(Lock<R>) -> Lock<R>;

/// The locks that a script is run on, over a bed.
#[expect(missing_debug_implementations, reason = "beds need not be shown")]
pub struct Stage<'a, B: Bed, L> {
    bed: &'a B,
    keys: &'a [String],
    shared: &'a [bool],
    make_shared: Option<MakeShared<B::Raw>>,
    locks: Vec<Lock<B::Raw>>,
    /// Which locks were held when their session was killed: a driver may know it at once or not before
    /// their next call.
    killed: Vec<bool>,
    layout: PhantomData<fn() -> L>,
}

impl<'a, B: Bed, L: Layout<B>> Stage<'a, B, L> {
    const CAST: Cast = L::CAST;

    /// Connects every session. `shared` says which locks are made shared.
    pub async fn open(
        bed: &'a B,
        keys: &'a [String],
        shared: &'a [bool],
        make_shared: Option<MakeShared<B::Raw>>,
    ) -> Self {
        let layout = PhantomData;
        let (locks, killed) = (Vec::new(), Vec::new());
        let mut stage = Self { bed, keys, shared, make_shared, locks, killed, layout };
        for session in 0..Self::CAST.sessions {
            let locks = stage.session(session).await;
            stage.locks.extend(locks);
        }
        stage.killed = vec![false; stage.locks.len()];
        stage
    }

    /// The locks over one session, new.
    async fn session(&self, session: usize) -> Vec<Lock<B::Raw>> {
        let places = Self::CAST.locks_of(session);
        let key = |lock| self.keys[Self::CAST.key_of(lock)].as_str();
        let keys: Vec<_> = places.clone().map(key).collect();
        let locks = L::locks(self.bed, &keys).await;
        let made = locks.into_iter().zip(places);
        made.map(|(lock, place)| match self.make_shared {
            Some(make_shared) if self.shared[place] => make_shared(lock),
            _ => lock,
        })
        .collect()
    }

    /// Which locks say that they are locked.
    #[must_use]
    pub fn flags(&self) -> Vec<bool> {
        let locks = self.locks.iter().zip(&self.killed);
        locks.map(|(lock, is_killed)| lock.is_locked() && !is_killed).collect()
    }

    /// Does one thing. Where it is known what comes of it, a wait that succeeds has all the time.
    pub async fn perform(&mut self, step: Step, expected: Option<Outcome>) -> Outcome {
        let outcome = self.perform_once(step, expected).await;
        let is_killed = step.lock().is_some_and(|lock| self.killed[lock]);
        if is_killed && outcome == Outcome::AlreadyLocked { Outcome::Ended } else { outcome }
    }

    async fn perform_once(&mut self, step: Step, expected: Option<Outcome>) -> Outcome {
        let held = expected.is_none_or(|outcome| outcome == Outcome::Dropped);
        match step {
            Step::Try(lock) => Outcome::of_acquire(self.locks[lock].acquire(Wait::No).await),
            Step::Within(lock) => Outcome::of_acquire(self.locks[lock].acquire(WAIT).await),
            Step::Forever(lock) => self.forever(lock, if held { WAIT } else { PATIENCE }).await,
            Step::DropGuard(lock) => self.drop_guard(lock).await,
            Step::ReleaseGuard(lock) => self.release_guard(lock).await,
            Step::With(lock) => {
                let answer = self.locks[lock].with(Wait::No, async |_| Outcome::Done).await;
                Outcome::of(answer.map_err(Error::from), |outcome| outcome)
            }
            Step::Release(lock) => Outcome::of(self.locks[lock].release().await, done),
            Step::Close(lock) => self.close(lock).await,
            Step::Kill(key) => self.kill(key).await,
            Step::Renew(session) => self.renew(session).await,
        }
    }

    /// Where the end cannot be proved, the server is asked instead: it is looked at after each step.
    async fn close(&mut self, lock: usize) -> Outcome {
        match self.locks[lock].close().await {
            Err(Error::Interrupted(None)) if self.killed[lock] && !B::PROVES_END => Outcome::Done,
            answer => Outcome::of(answer, done),
        }
    }

    async fn forever(&mut self, lock: usize, limit: Duration) -> Outcome {
        let answer = timeout(limit, self.locks[lock].acquire(Wait::Forever)).await;
        answer.map_or(Outcome::Dropped, Outcome::of_acquire)
    }

    async fn drop_guard(&mut self, lock: usize) -> Outcome {
        let guard = self.locks[lock].try_lock().await;
        Outcome::of_acquire(guard.map(|guard| guard.is_some()))
    }

    async fn release_guard(&mut self, lock: usize) -> Outcome {
        match self.locks[lock].try_lock().await {
            Ok(Some(guard)) => Outcome::of(guard.release().await, done),
            refused => Outcome::of_acquire(refused.map(|guard| guard.is_some())),
        }
    }

    /// Ends the sessions that hold the key, and waits until all of them have learned it.
    async fn kill(&mut self, key: usize) -> Outcome {
        self.bed.kill(&self.keys[key]).await;
        for (place, lock) in self.locks.iter_mut().enumerate() {
            if Self::CAST.key_of(place) == key && lock.is_locked() {
                self.killed[place] = true;
                timeout(PATIENCE, learns::<B>(lock)).await.expect("a dead session answers nothing");
            }
        }
        Outcome::Done
    }

    async fn renew(&mut self, session: usize) -> Outcome {
        let locks = self.session(session).await;
        self.killed[Self::CAST.locks_of(session)].fill(false);
        // The old ones are dropped, locked or not.
        drop(self.locks.splice(Self::CAST.locks_of(session), locks));
        Outcome::Done
    }
}

fn done((): ()) -> Outcome {
    Outcome::Done
}

/// The first error may come before the driver has closed the session; the second comes after that.
async fn learns<B: Bed>(lock: &mut Lock<B::Raw>) {
    let mut errors = 0;
    while errors < 2
        && let Some(session) = lock.session()
    {
        errors += u32::from(B::echo(session, 0).await.is_err());
    }
}
