//! A critical section of `Locks`, whose sessions are not lent: the register is read and written on a connection
//! of its own, and each stay has a name of its own.
//!
//! Whoever comes in writes its name over nothing. A name that stands there is waited for: its owner takes it
//! away when it leaves, writes that it has lost when it is told so, or has died with its connection. One
//! that stays for longer than all that may take is somebody who believes that it holds the lock: two are in
//! the section. So are those of whom one, whose server fell silent, worked after the other was let in: every
//! process reads the same clock.

use super::{Answer, Contest, Fight};
use crate::dice::Dice;
use crate::section::Found;
use crate::target::{Factory, KEYS, Target};
use anyhow::{Context, Result, bail};
use dlock_core::Wait;
use dlock_locks::{Driver, Held, Locks, LostReason};
use dlock_testkit::locks::Client;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::time::{sleep, timeout};

/// How long a holder may take to be told of its loss, and to write it down on a server that was frozen.
const FADES: Duration = Duration::from_secs(8);
/// What a holder writes that was told of its server's silence; when it last worked follows.
const SILENT: &str = "silent, worked at ";
/// What one writes that was told of anything else.
const ENDED: &str = "ended";

/// The keys for which tasks with a lock each fight too.
pub(crate) struct Mixed<T: Factory> {
    pub(crate) target: Arc<T>,
    pub(crate) locks: Locks<T::Driver>,
}

impl<T: Factory> Fight for Mixed<T> {
    const CONTEST: Contest = Contest::Locks;
    type Driver = T::Driver;
    type Ask = &'static str;
    type Catch = Held<T::Driver>;
    type Watch = Section<T>;

    async fn watch(&self) -> Result<Section<T>> {
        Section::<T>::connect(&self.target).await
    }

    fn ask(&self, dice: &mut Dice) -> Result<&'static str> {
        dice.pick(&KEYS).copied().context("there are keys")
    }

    async fn acquire(&self, key: &&'static str, wait: Wait) -> Answer<Self> {
        self.locks.key(T::key(key)?)?.acquire(wait).await
    }

    async fn stay(
        &self,
        section: &mut Section<T>,
        key: &&'static str,
        held: &Held<T::Driver>,
        stay: Duration,
    ) -> Result<Found> {
        section.stay(key, held, stay).await
    }
}

/// The register, and who looks at it.
pub(crate) struct Section<T: Factory> {
    register: T::Register,
    name: String,
    stays: u64,
}

impl<T: Factory> Section<T> {
    pub(crate) async fn connect(target: &T) -> Result<Self> {
        let mut register = target.register().await?;
        let name = T::name(T::lend(&mut register)).await?;
        Ok(Self { register, name, stays: 0 })
    }

    /// Comes in, stays for so long or until the lock is lost, and leaves.
    pub(crate) async fn stay(
        &mut self,
        key: &str,
        held: &Held<T::Driver>,
        stay: Duration,
    ) -> Result<Found> {
        let granted = Client::now();
        self.stays += 1;
        let me = format!("{}#{}", self.name, self.stays);
        let entered = self.enter(key, held, &me, granted).await?;
        if let Found::Overlap(_) = entered {
            return Ok(entered);
        }
        let worked = work(held, granted, stay).await;
        match self.leave(key, held, &me, worked).await? {
            Found::Alone => Ok(entered),
            found => Ok(found),
        }
    }

    async fn swap(&mut self, key: &str, from: Option<&str>, to: Option<&str>) -> Result<bool> {
        <T as Target>::swap(T::lend(&mut self.register), key, from, to).await
    }

    async fn enter(
        &mut self,
        key: &str,
        held: &Held<T::Driver>,
        me: &str,
        granted: Duration,
    ) -> Result<Found> {
        let (start, mut was_met) = (Instant::now(), false);
        loop {
            let other = T::holder(T::lend(&mut self.register), key).await?;
            let may_enter = match &other {
                None => true,
                Some(other) => is_over(other) || !self.lives(other).await?,
            };
            // One with a lock of its own leaves the register before it lets go, and dies with its lock.
            was_met |= !may_enter && other.as_ref().is_some_and(|other| !other.contains('#'));
            if held.is_lost() {
                bail!("lost before the section began");
            }
            if may_enter && self.swap(key, other.as_deref(), Some(me)).await? {
                return Ok(match other {
                    None if was_met => {
                        unless_lost(held, format!("another left the section of {me}")).await
                    }
                    None => Found::Alone,
                    Some(other) => inherited(&other, granted),
                });
            }
            if start.elapsed() > FADES {
                return Ok(Found::Overlap(format!("{other:?} stays in the section of {me}")));
            }
            sleep(Duration::from_millis(10)).await;
        }
    }

    /// Whether the connection of this name is there still.
    async fn lives(&mut self, name: &str) -> Result<bool> {
        let name = name.split('#').next().unwrap_or(name);
        T::lives(T::lend(&mut self.register), name).await
    }

    async fn leave(
        &mut self,
        key: &str,
        held: &Held<T::Driver>,
        me: &str,
        worked: Duration,
    ) -> Result<Found> {
        let note = match held.is_lost() {
            true => Some(note(held.lost().await.reason(), worked)),
            false => None,
        };
        if self.swap(key, Some(me), note.as_deref()).await? || note.is_some() {
            return Ok(Found::Alone);
        }
        Ok(unless_lost(held, format!("somebody took over from {me}")).await)
    }
}

/// What looks like an overlap, unless the lock is lost: the server tells others of a killed session's end at
/// once, and its holder soon.
async fn unless_lost<D: Driver>(held: &Held<D>, overlap: String) -> Found {
    match timeout(FADES, held.lost()).await {
        Ok(_) => Found::Alone,
        Err(_) => Found::Overlap(overlap),
    }
}

/// Works for so long or until the lock is lost, and says when it last did: not at all after it was granted,
/// where the lock was lost before it began.
async fn work<D: Driver>(held: &Held<D>, granted: Duration, stay: Duration) -> Duration {
    let worked = Mutex::new(granted);
    let note = || *worked.lock().unwrap_or_else(PoisonError::into_inner) = Client::now();
    let work = timeout(stay, async {
        loop {
            note();
            sleep(Duration::from_millis(1)).await;
        }
    });
    // An error is a loss, which is looked at next.
    let _: Result<Result<(), _>, _> = held.run_until_lost(work).await;
    worked.into_inner().unwrap_or_else(PoisonError::into_inner)
}

fn note(reason: LostReason, worked: Duration) -> String {
    match reason {
        LostReason::Silent => format!("{SILENT}{}", worked.as_micros()),
        _ => ENDED.to_owned(),
    }
}

pub(crate) fn is_over(name: &str) -> bool {
    name.starts_with(SILENT) || name == ENDED
}

/// Whether the one before worked after this one was let in.
fn inherited(other: &str, granted: Duration) -> Found {
    let worked = other.strip_prefix(SILENT).and_then(|worked| worked.parse().ok());
    match worked.map(Duration::from_micros) {
        Some(worked) if worked > granted => Found::Overlap(format!(
            "a holder whose server fell silent worked {:?} after another held",
            worked - granted
        )),
        _ => Found::Inherited,
    }
}
