use crate::LIMIT;
use crate::neighbour::Neighbour;
use dlock_core::{Lock, RawUnlock, Wait};
use dlock_locks::{Driver, Held, Request};
use std::time::{Duration, Instant};

/// Whoever takes a key: each kind of lock there is.
pub(crate) enum Party<'a, D: Driver, R: RawUnlock> {
    /// sqlalchemy-dlock's, whose waits are as long as this says.
    Python { neighbour: &'a mut Neighbour, wait: &'static str },
    /// Over a session of the caller's.
    Lock(Lock<R>),
    /// Of `Locks`, and what is held of it.
    Locks { request: Request<D>, held: Option<Held<D>> },
}

impl<'a, D: Driver, R: RawUnlock> Party<'a, D, R> {
    pub(crate) fn locks(request: Request<D>) -> Self {
        Self::Locks { request, held: None }
    }

    /// Takes the key if it is free.
    async fn tries(&mut self) -> bool {
        match self {
            Self::Python { neighbour, .. } => neighbour.asked("acquire no").await == "true",
            Self::Lock(lock) => lock.acquire(Wait::No).await.unwrap(),
            Self::Locks { request, held } => {
                *held = request.try_lock().await.unwrap();
                held.is_some()
            }
        }
    }

    /// Waits for the key, and says when it was granted.
    async fn waits(&mut self) -> Instant {
        match self {
            Self::Python { neighbour, wait } => {
                assert_eq!(neighbour.asked(&format!("acquire {wait}")).await, "true");
            }
            Self::Lock(lock) => assert!(lock.acquire(LIMIT).await.unwrap(), "never handed over"),
            Self::Locks { request, held } => {
                *held = Some(request.lock_within(LIMIT).await.expect("handed over"));
            }
        }
        Instant::now()
    }

    async fn releases(&mut self) {
        match self {
            Self::Python { neighbour, .. } => assert_eq!(neighbour.asked("release").await, "ok"),
            Self::Lock(lock) => lock.release().await.unwrap(),
            Self::Locks { held, .. } => held.take().expect("held").release().await.unwrap(),
        }
    }
}

/// The three of them on one key, and which of them share.
pub(crate) struct Three<'a, D: Driver, R: RawUnlock> {
    pub(crate) parties: [Party<'a, D, R>; 3],
    pub(crate) shares: [bool; 3],
    pub(crate) case: String,
}

impl<D: Driver, R: RawUnlock> Three<'_, D, R> {
    /// Whoever holds, the others are refused unless both share, and are handed the key when it is released.
    pub(crate) async fn every_pair(mut self) {
        for holder in 0..3 {
            for next in (0..3).filter(|next| *next != holder) {
                assert!(self.parties[holder].tries().await, "{}: {holder} is refused", self.case);
                if self.together(holder, next) {
                    self.excludes(holder).await;
                    self.parties[holder].releases().await;
                } else {
                    self.hand_over(holder, next).await;
                    self.excludes(next).await;
                    self.parties[next].releases().await;
                }
            }
        }
    }

    fn together(&self, one: usize, other: usize) -> bool {
        self.shares[one] && self.shares[other]
    }

    /// Whoever does not share with the holder is refused, and whoever does is not.
    async fn excludes(&mut self, holder: usize) {
        for other in (0..3).filter(|other| *other != holder) {
            let (expected, case) = (self.together(holder, other), &self.case);
            let granted = self.parties[other].tries().await;
            assert_eq!(granted, expected, "{case}: {holder} holds, {other} tries");
            if granted {
                self.parties[other].releases().await;
            }
        }
    }

    /// The next one waits, and is granted the key when the holder has let go, and not before.
    async fn hand_over(&mut self, holder: usize, next: usize) {
        let case = format!("{}: from {holder} to {next}", self.case);
        let [holder, next] = self.parties.get_disjoint_mut([holder, next]).expect("two");
        assert!(!next.tries().await, "{case}: both hold");
        let release = async {
            tokio::time::sleep(Duration::from_millis(100)).await;
            let released = Instant::now();
            holder.releases().await;
            released
        };
        let (granted, released) = tokio::join!(next.waits(), release);
        assert!(granted >= released, "{case}: granted while it was held");
        assert!(granted - released < Duration::from_secs(5), "{case}: {:?}", granted - released);
    }
}
