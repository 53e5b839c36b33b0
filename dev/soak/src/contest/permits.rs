//! The permits of a semaphore: never more than there are.

use super::{Answer, Contest, Fight};
use crate::dice::Dice;
use crate::roster::{Claim, Member};
use crate::section::Found;
use crate::target::Factory;
use anyhow::{Context, Result};
use dlock_core::Wait;
use dlock_locks::{Driver, Locks, Permit};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// The names, and how many permits each has.
pub(crate) const NAMES: [(&str, u32); 2] = [("soak-permits-a", 2), ("soak-permits-b", 3)];

pub(crate) struct Permits<T: Factory> {
    pub(crate) target: Arc<T>,
    pub(crate) locks: Locks<T::Driver>,
    pub(crate) roster: SocketAddr,
}

/// Every key that is asked for.
pub(crate) fn keys<T: Factory>() -> Result<Vec<<T::Driver as Driver>::Key>> {
    let mut keys = Vec::new();
    for (name, permits) in NAMES {
        let key = T::key(name)?;
        let labels = (1..=permits).map(|number| format!("permit {number}"));
        let labels = labels.chain(["permits".to_owned()]);
        keys.extend(labels.map(|label| T::Driver::derive(&key, &label)));
    }
    Ok(keys)
}

impl<T: Factory> Fight for Permits<T> {
    const CONTEST: Contest = Contest::Semaphore;
    type Driver = T::Driver;
    type Ask = (&'static str, u32);
    type Catch = Permit<T::Driver>;
    type Watch = Member;

    async fn watch(&self) -> Result<Member> {
        Member::connect(self.roster).await
    }

    fn ask(&self, dice: &mut Dice) -> Result<(&'static str, u32)> {
        dice.pick(&NAMES).copied().context("there are names")
    }

    async fn acquire(&self, (name, permits): &Self::Ask, wait: Wait) -> Answer<Self> {
        let permits = usize::try_from(*permits).unwrap_or(usize::MAX);
        self.locks.semaphore(T::key(name)?, permits)?.acquire(wait).await
    }

    async fn stay(
        &self,
        member: &mut Member,
        (name, permits): &Self::Ask,
        permit: &Permit<T::Driver>,
        stay: Duration,
    ) -> Result<Found> {
        let section = self.target.section(name);
        let claim = Claim { section, weight: 1, capacity: *permits };
        super::stay(member, vec![claim], permit, stay).await
    }
}
